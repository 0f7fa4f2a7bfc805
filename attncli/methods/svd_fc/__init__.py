"""SVD-FC: features of pre-trained networks, fused and used for another task."""
