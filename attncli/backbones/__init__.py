"""Backbones, each cut into a feature extractor and a perception branch."""
