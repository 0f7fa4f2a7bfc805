"""The pages on which people correct attention, and the server that holds their edits."""
