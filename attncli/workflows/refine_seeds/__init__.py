"""Seeds made from seeds: PSA, dense CRFs and SSDD."""
