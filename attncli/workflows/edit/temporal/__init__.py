"""Correct temporal attention by hand: choose clips, edit, check, merge, bring in and compare."""
