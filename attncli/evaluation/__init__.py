"""What is made of the answers of networks: predictions and figures, on disk and in rows."""
