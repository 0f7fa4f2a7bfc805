"""Small made-up datasets in the layouts of real ones, with known masks."""
