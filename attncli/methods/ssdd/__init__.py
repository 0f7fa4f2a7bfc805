"""SSDD: segmentation from image labels, whose seeds are refined by detecting differences."""
