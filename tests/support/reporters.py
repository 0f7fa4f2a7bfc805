"""A reporter that keeps what it was told."""

from attncli.reporting import Silent


class Told(Silent):
    """Shows nothing and forgets nothing."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.texts: list[str] = []
        """Notes and warnings, in the order they came."""

    def note(self, text: str) -> None:
        self.notes.append(text)
        self.texts.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        self.texts.append(text)
