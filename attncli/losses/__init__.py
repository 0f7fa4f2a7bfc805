"""Loss terms two papers share."""
