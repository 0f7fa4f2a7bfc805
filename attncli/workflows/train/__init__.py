"""Train a network, or one network a fold."""
