from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attncli.errors import AttncliError, UsageError
from attncli.files.attention import Attention
from attncli.visualization.selection import CommonClip, Wish, choose, common_clips


def run(*ids, frames="0 4", crop="0 0 24 24", flip=0):
    labels = [i.split("/")[0] for i in ids]
    clips = pd.DataFrame({"row": range(len(ids)), "id": ids, "label": labels, "predicted": labels})
    clips = clips.assign(frames=frames, crop=crop, flip=str(flip))
    return Attention(Path("attention"), spatial=None, temporal=None, clips=clips)


CLIPS = [CommonClip(f"{name}/{number}", name, (number,)) for name in "AB" for number in range(4)]


def entropies(clips):
    return np.array([float(clip.rows[0]) for clip in clips])


def no_entropies(clips):
    raise AssertionError("entropy is not needed")


def test_clips_of_all_runs_are_found_in_whatever_row_they_are():
    clips = common_clips([run("A/1", "A/2", "B/1"), run("B/1", "C/1", "A/1")])
    assert clips == [CommonClip("A/1", "A", (0, 2)), CommonClip("B/1", "B", (2, 0))]


def test_runs_without_a_common_clip_are_refused():
    with pytest.raises(AttncliError, match="no clip in common"):
        common_clips([run("A/1"), run("A/2")])


@pytest.mark.parametrize("other", [{"frames": "1 5"}, {"crop": "8 0 32 24"}, {"flip": 1}])
def test_runs_that_saw_other_parts_of_the_same_videos_are_refused(other):
    with pytest.raises(AttncliError, match="other frames or crops of the 2 videos"):
        common_clips([run("A/1", "A/2"), run("A/1", "A/2", **other)])


def test_crops_that_differ_by_a_rounding_error_are_the_same():
    assert common_clips([run("A/1"), run("A/1", crop="1e-9 0 24.00001 23.99999")])


@pytest.mark.parametrize("crop", ["a b c d", "0 0 nan 24", "0 0 inf 24", "0 0 24"])
def test_a_crop_that_is_no_part_of_a_frame_is_named_with_its_row(crop):
    with pytest.raises(AttncliError, match=r"clips\.csv, row 1: is not a row of clips"):
        common_clips([run("A/1"), run("A/1", "A/2", crop=["0 0 24 24", crop])])


def test_clips_asked_for_by_id_come_in_that_order():
    chosen = choose(CLIPS, Wish(ids=("B/2", "A/0")), no_entropies)
    assert [clip.id for clip in chosen] == ["B/2", "A/0"]


def test_an_unknown_id_is_refused_with_the_nearest_ones():
    with pytest.raises(UsageError, match=r"--id: no such name: 'B/22'.*there is B/2"):
        choose(CLIPS, Wish(ids=("B/22",)), no_entropies)


def test_only_clips_of_the_class_are_taken():
    chosen = choose(CLIPS, Wish(labels=("B",), clips=9), no_entropies)
    assert {clip.id for clip in chosen} == {"B/0", "B/1", "B/2", "B/3"}


def test_an_unknown_class_is_refused():
    with pytest.raises(UsageError, match="--class: no such name: 'Z'"):
        choose(CLIPS, Wish(labels=("Z",)), no_entropies)


def test_the_sharpest_clips_have_the_least_entropy():
    chosen = choose(CLIPS, Wish(order="sharpest", clips=3), entropies)
    assert [clip.id for clip in chosen] == ["A/0", "B/0", "A/1"]


def test_the_least_sharp_clips_have_the_greatest_entropy():
    chosen = choose(CLIPS, Wish(order="least-sharp", clips=3), entropies)
    assert [clip.id for clip in chosen] == ["A/3", "B/3", "A/2"]


def test_the_first_clips_are_those_of_the_list():
    chosen = choose(CLIPS, Wish(labels=("A",), order="first", clips=3), no_entropies)
    assert chosen == CLIPS[:3]


@pytest.mark.parametrize("order", ["first", "random"])
def test_every_class_comes_once_before_any_comes_twice(order):
    chosen = choose(CLIPS, Wish(order=order, clips=5), no_entropies)
    assert [{clip.label for clip in chosen[at : at + 2]} for at in (0, 2)] == [{"A", "B"}] * 2
    if order == "first":
        assert [clip.id for clip in chosen] == ["A/0", "B/0", "A/1", "B/1", "A/2"]


def test_a_seed_gives_the_same_random_clips_again():
    one, again, other = (choose(CLIPS, Wish(seed=seed), no_entropies) for seed in (1, 1, 2))
    assert one == again != other
    assert len({clip.id for clip in one}) == 4
