"""Score trained networks on a split, and what all folds together are worth."""
