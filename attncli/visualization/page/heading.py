"""The line above what belongs together: whose pictures they are, and facts about it."""

from dataclasses import dataclass

from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN
from attncli.visualization.page.lettering import GREY, Text, fit_first

HEADING_IN = 0.17
"""Height of the line, in inches."""
LEAST_GAP_IN = 0.07
"""Distance between the name and the facts about it, at least."""


@dataclass(frozen=True)
class Heading:
    """What the line says."""

    name: str
    """Whose pictures are below, at the left."""
    facts: tuple[str, ...]
    """What is known of it, at the right: from all of it to what is left out last."""


def write_heading(page: Page, heading: Heading, top_in: float) -> None:
    """Write the first of the facts for which there is room beside the name, in a line.

    Args:
        page: Where to write; the line is as wide as it.
        heading: What to write.
        top_in: Upper edge of the line, which is `HEADING_IN` high.
    """
    room_in = page.width_in - 2 * MARGIN_IN - LEAST_GAP_IN
    name = Text(heading.name, bold=True, keeps_end=True)
    facts = fit_first(heading.facts, room_in - min(name.width_in, room_in / 2), color=GREY)
    middle_in = top_in + HEADING_IN / 2
    page.write_lines(MARGIN_IN, middle_in, name.fit(room_in - facts.width_in))
    page.write(page.width_in - MARGIN_IN, middle_in, facts, ha="right")
