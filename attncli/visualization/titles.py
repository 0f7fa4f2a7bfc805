"""The line above a clip's pictures."""

from matplotlib.axes import Axes

from attncli.visualization.clips import ShownClip
from attncli.visualization.lettering import fit_lines, text_width_in, write_line

TITLE_IN = 0.17
"""Height of the line, in inches."""
MARGIN_IN = 0.03
"""White left and right of everything."""
GREY = "0.35"
"""Colour of what matters less."""
LEAST_GAP_IN = 0.07
"""Distance between the clip's id and the facts about it, at least."""


def draw_title(page: Axes, clip: ShownClip, top_in: float, width_in: float) -> None:
    """Write the clip's id, class and frames in one line as wide as the page, `TITLE_IN` high.

    Where there is no room for all of it, the frames are left out first.
    """
    room_in = width_in - 2 * MARGIN_IN - LEAST_GAP_IN
    facts_in = room_in - min(text_width_in(clip.id, bold=True), room_in / 2)
    choices = [f"frames {min(clip.frame_indices)} to {max(clip.frame_indices)}"]
    if clip.true_class is not None:
        true_class = f"true class: {clip.true_class}"
        choices = [f"{true_class}; {choices[0]}", true_class, clip.true_class]
    fitting = (text for text in choices if text_width_in(text) <= facts_in)
    facts = next(fitting, fit_lines(choices[-1], facts_in)[0])
    title = fit_lines(clip.id, room_in - text_width_in(facts), bold=True)[0]
    middle_in = top_in + TITLE_IN / 2
    write_line(page, MARGIN_IN, middle_in, title, weight="bold")
    write_line(page, width_in - MARGIN_IN, middle_in, facts, ha="right", color=GREY)
