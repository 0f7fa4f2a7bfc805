"""Correct spatial attention by hand: choose clips, paint or take masks, and check."""
