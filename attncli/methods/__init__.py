"""One module a paper, in its notation."""
