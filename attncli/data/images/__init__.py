"""Images of one or several classes each, with label maps: from files to batches."""
