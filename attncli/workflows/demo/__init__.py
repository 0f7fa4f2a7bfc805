"""Whole papers on toy data, a module a paper."""
