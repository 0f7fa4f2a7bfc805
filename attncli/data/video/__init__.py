"""Videos as files: found whole or damaged, decoded, turned upright, read ahead."""
