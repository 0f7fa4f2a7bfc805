"""Have people correct the attention of a network."""
