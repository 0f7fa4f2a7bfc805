"""What files may ask for at most, before any memory is taken for it."""

LARGEST_FRAME_PX = 1 << 26
"""Pixels of the largest frame of a video, and of its masks: twice those of 8K."""
