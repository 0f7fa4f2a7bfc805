"""The page on which people correct temporal attention, and the server that holds their scores."""
