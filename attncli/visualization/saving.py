"""Figures as files."""

from pathlib import Path

from matplotlib.figure import Figure

from attncli.files.atomic import replacing
from attncli.visualization.page.lettering import typesetting


def save_figure(figure: Figure, path: Path) -> None:
    """Write the figure as PNG or PDF, by suffix; the same figure gives the same bytes.

    Text in a PDF stays text, to be searched and edited.
    """
    kind = path.suffix.lower().removeprefix(".")
    metadata = {"CreationDate": None} if kind == "pdf" else None
    with typesetting(figure), replacing(path) as temporary:
        figure.savefig(temporary, format=kind, metadata=metadata)
