"""Clips of videos: which frames, which part of them, what guides a training on them."""
