"""Faces of people: where they are, sequences of them, who is in which fold."""
