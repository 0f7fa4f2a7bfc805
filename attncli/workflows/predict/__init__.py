"""What a trained run says of files and arrays of one's own."""
