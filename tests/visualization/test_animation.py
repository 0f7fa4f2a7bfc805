from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from attncli.visualization.animation import Film, animate, footer
from attncli.visualization.clips import HeatStyle, picture_rows
from attncli.visualization.film_parts import BAR_PX, GAP_PX, POINTER_PX

NAMES = ["abn", "obj_abn"]
TAGGED = 24
"""Rows of a picture above which the number of its frame may stand."""


def film(clip, *, before=0, after=0, rate=25):
    """Return a video of the clip's frames, each four times, with frames around it."""
    first, last = clip.frame_indices[0], clip.frame_indices[-1]
    size_hw = clip.frames.shape[1:]
    frames = [np.full(size_hw, 7, np.uint8)] * (last + after + 1)
    for index in range(first - before, last + 1):
        frames[index] = clip.frames[max(0, round((index - first) / 4))]
    return Film(clip, frames, Fraction(rate))


def play(*clips, names=NAMES, style=None):
    return list(animate([film(clip) for clip in clips], names, style or HeatStyle()))


def feet(width_px, *, bars=False):
    """Return how many rows are below the pictures and their bars."""
    return footer(HeatStyle(), width_px, has_bars=bars).shape[0]


def test_all_frames_of_the_video_are_shown_one_video_after_the_other(make_clip):
    clips = [make_clip(t=3, size_hw=(64, 64)), make_clip(t=4, size_hw=(64, 64))]
    pictures = play(*clips)
    assert len(pictures) == 19 + 23  # clips begin at frame 10, and have every fourth
    foot = feet(3 * 64 + 2 * GAP_PX)
    for first, clip in ((0, clips[0]), (19, clips[1])):
        rows = picture_rows(clip, NAMES, HeatStyle(), range(len(clip.frames)))
        for step, index in enumerate(clip.frame_indices):
            for column, row in enumerate(rows):
                left = column * (64 + GAP_PX)
                shown = pictures[first + index][-64 - foot : -foot, left : left + 64]
                assert np.array_equal(shown[TAGGED:], row.pictures[step][TAGGED:])


def test_a_frame_between_two_of_the_clip_has_the_attention_of_the_nearer_one(make_clip):
    clip = make_clip(t=3, size_hw=(64, 64))
    shown = film(clip)
    assert [shown.step(index) for index in (10, 11, 12, 13, 14, 18, 21)] == [0, 0, 0, 1, 1, 2, 2]


def test_frames_that_the_runs_did_not_see_are_shown_without_attention(make_clip):
    clip = make_clip(t=3, size_hw=(64, 64))
    shown = film(clip, after=6)
    assert [shown.step(index) for index in (0, 6, 7, 22, 24)] == [None, None, 0, None, None]
    last = list(animate([shown], NAMES, HeatStyle()))[-1]
    body = last[-64 - feet(3 * 64 + 2 * GAP_PX) :][TAGGED:40]
    assert (body[:, 64 + GAP_PX : 128 + GAP_PX] == 7).all()


def test_each_picture_says_its_frame_and_time(make_clip):
    clip = make_clip(t=3, size_hw=(64, 160))
    still = replace(clip, frames=np.zeros_like(clip.frames))
    pictures = list(animate([film(still)], NAMES, HeatStyle(opacity=0.0)))
    foot = feet(3 * 160 + 2 * GAP_PX)
    tags = {picture[-64 - foot : -foot][:TAGGED].tobytes() for picture in pictures}
    assert len(tags) == len(pictures)


def test_pictures_are_of_one_size_whatever_the_clips(make_clip):
    clips = [make_clip(size_hw=(64, 64)), make_clip(size_hw=(64, 86))]
    assert len({picture.shape for picture in play(*clips)}) == 1


def test_a_bar_below_its_panel_points_at_the_frame_that_is_shown(make_clip):
    clip = make_clip(t=4, size_hw=(64, 64), temporal=(1,))
    colors = picture_rows(clip, NAMES, HeatStyle(), range(4))[2].bar.colors
    left = 2 * (64 + GAP_PX)
    foot = feet(3 * 64 + 2 * GAP_PX, bars=True)
    pictures = play(clip)
    for number, index in enumerate(clip.frame_indices):
        strip = pictures[index][-(BAR_PX + POINTER_PX) - foot : -foot]
        assert (strip[:, :left] == 255).all()  # neither the input nor the first run has a bar
        bar, below = strip[:BAR_PX, left:], strip[BAR_PX:, left:]
        assert np.array_equal(bar, np.broadcast_to(colors.repeat(16, axis=0), bar.shape))
        tip = np.flatnonzero((below[0] == 0).all(axis=1))
        assert tip.mean() == number * 16 + 7.5
        assert np.flatnonzero((below[-1] == 0).all(axis=1)).mean() == pytest.approx(
            tip.mean(), abs=3
        )


def test_the_masks_of_every_frame_are_outlined(make_clip):
    clip = make_clip(t=3, size_hw=(64, 64), masks=True)
    asked = []

    def masks(index):
        asked.append(index)
        return np.ones((64, 64), bool)

    list(animate([replace(film(clip), masks=masks)], NAMES, HeatStyle()))
    assert asked == list(range(7, 19))  # those that the runs saw, or nearly


def test_long_classes_are_named_in_the_header(make_clip):
    name = "Pushing something from left to right"
    clips = [make_clip(t=1, size_hw=(64, 128), predicted=p) for p in (name, "Pushing")]
    long, short = (play(clip)[0] for clip in clips)
    assert long.shape[0] > short.shape[0]


def test_the_header_names_the_runs(make_clip):
    clip = make_clip(t=1, size_hw=(64, 160))
    named, unnamed = (play(clip, names=[name] * 2)[0] for name in ("run", ""))
    foot = 64 + feet(3 * 160 + 2 * GAP_PX)
    assert not np.array_equal(named[:-foot], unnamed[:-foot])
    assert np.array_equal(named[-foot:], unnamed[-foot:])
