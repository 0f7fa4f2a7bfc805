"""What finds instance masks in the frames of a video: detectors, and motion."""
