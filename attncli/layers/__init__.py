"""Network layers two papers share."""
