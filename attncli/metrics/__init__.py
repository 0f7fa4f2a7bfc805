"""Numbers computed from predictions and attention maps."""
