import numpy as np

from attncli.visualization.animation import GAP_PX, animate
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


def test_the_header_names_the_runs(make_clip):
    clip = make_clip(size_hw=(64, 160))
    named, unnamed = (next(animate([clip], [name] * 2, HeatStyle())) for name in ("run", ""))
    assert not np.array_equal(named[:-64], unnamed[:-64])
    assert np.array_equal(named[-64:], unnamed[-64:])
