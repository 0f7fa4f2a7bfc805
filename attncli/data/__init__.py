"""Datasets: layouts, decoding, clip sampling, geometry, toy data."""
