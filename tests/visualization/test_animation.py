from dataclasses import replace

import numpy as np
import pytest

from attncli.visualization.animation import BAR_PX, GAP_PX, POINTER_PX, animate
from attncli.visualization.clips import HeatStyle, picture_rows

NAMES = ["abn", "obj_abn"]


def test_every_frame_of_every_clip_is_shown_in_order(make_clip):
    clips = [make_clip(t=3, size_hw=(64, 64)), make_clip(t=4, size_hw=(64, 64))]
    pictures = list(animate(clips, NAMES, HeatStyle()))
    rows = [picture_rows(clip, NAMES, HeatStyle(), range(len(clip.frames))) for clip in clips]
    assert len(pictures) == 7
    for column in range(3):
        expected = np.concatenate([columns[column].pictures for columns in rows])
        left = column * (64 + GAP_PX)
        shown = np.stack(pictures)[:, -64:, left : left + 64]
        assert np.array_equal(shown, expected)


def test_pictures_are_of_one_size_whatever_the_clips(make_clip):
    clips = [make_clip(size_hw=(64, 64)), make_clip(size_hw=(64, 86))]
    assert len({picture.shape for picture in animate(clips, NAMES, HeatStyle())}) == 1


def test_a_bar_below_its_panel_points_at_the_frame_that_is_shown(make_clip):
    clip = make_clip(t=4, size_hw=(64, 64), temporal=(1,))
    colors = picture_rows(clip, NAMES, HeatStyle(), range(4))[2].bar.colors
    left = 2 * (64 + GAP_PX)
    for number, picture in enumerate(animate([clip], NAMES, HeatStyle())):
        footer = picture[-(BAR_PX + POINTER_PX) :]
        assert (footer[:, :left] == 255).all()  # neither the input nor the first run has a bar
        bar, below = footer[:BAR_PX, left:], footer[BAR_PX:, left:]
        assert np.array_equal(bar, np.broadcast_to(colors.repeat(16, axis=0), bar.shape))
        tip = np.flatnonzero((below[0] == 0).all(axis=1))
        assert tip.mean() == number * 16 + 7.5
        assert np.flatnonzero((below[-1] == 0).all(axis=1)).mean() == pytest.approx(
            tip.mean(), abs=3
        )


def test_long_classes_and_bars_are_named_in_the_header(make_clip):
    name = "Pushing something from left to right"
    clips = [make_clip(size_hw=(64, 128), predicted=p) for p in (name, "Pushing")]
    long, short = (next(animate([clip], NAMES, HeatStyle())) for clip in clips)
    assert long.shape[0] > short.shape[0]
    clip = make_clip(size_hw=(64, 128))
    plain, edited = (
        next(animate([c], NAMES, HeatStyle()))[: -64 - rows, :128]
        for c, rows in ((clip, 0), (replace(clip, edited=np.ones(6, np.float32)), 22))
    )
    assert not np.array_equal(plain, edited)


def test_the_header_names_the_runs(make_clip):
    clip = make_clip(size_hw=(64, 160))
    named, unnamed = (next(animate([clip], [name] * 2, HeatStyle())) for name in ("run", ""))
    assert not np.array_equal(named[:-64], unnamed[:-64])
    assert np.array_equal(named[-64:], unnamed[-64:])
