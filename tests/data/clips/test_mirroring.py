import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.data.clips.mirroring import (
    flip_notes,
    labels_after_flip,
    mirrored_labels,
    names_a_side,
)

SSV2 = (
    "Pulling something from left to right",
    "Pulling something from right to left",
    "Dropping something onto something",
    "Turning the camera right while filming something",
    "Turning the camera left while filming something",
)


def test_the_classes_of_something_something_v2_that_name_a_side_are_each_others_mirror_image():
    assert mirrored_labels(SSV2) == (1, 0, 2, 4, 3)


def test_a_class_without_its_mirror_image_has_no_label():
    assert mirrored_labels(SSV2[:4]) == (1, 0, 2, None)
    assert mirrored_labels(["Waving left and right"]) == (None,)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SwipeLeft", "SwipeRight"),
        ("Sliding Two Fingers Left", "Sliding two fingers right"),
        ("turn_left", "turn_right"),
        ("LEFT", "RIGHT"),
        ("leaning leftwards", "leaning rightwards"),
        ("Turning Hand Clockwise", "Turning Hand Counterclockwise"),
        ("turning clockwise", "turning anticlockwise"),
        ("Turn-clockwise", "Turn-counter-clockwise"),
        ("TurnAntiClockwise", "TurnClockwise"),
    ],
)
def test_sides_are_words_however_they_are_written(one, other):
    assert names_a_side(one)
    assert names_a_side(other)
    assert mirrored_labels([one, other]) == (1, 0)


@pytest.mark.parametrize(
    "name", ["Eating leftovers", "BrightLight", "Copyright", "upright", "ApplyEyeMakeup", "", "12"]
)
def test_parts_of_words_are_no_sides(name):
    assert not names_a_side(name)
    assert mirrored_labels([name]) == (0,)


@given(st.lists(st.text("lefright LR_", max_size=12), unique_by=str.casefold, max_size=12))
def test_mirroring_twice_leads_back(classes):
    mirrored = mirrored_labels(classes)
    for label, other in enumerate(mirrored):
        assert other is None or mirrored[other] == label


def test_automatic_flips_are_plain_unless_a_class_names_a_side():
    assert labels_after_flip("auto", ("Jump", "Run")) == {-1: -1, 0: 0, 1: 1}
    assert labels_after_flip("auto", SSV2) == labels_after_flip("none", SSV2) == {}
    assert labels_after_flip("plain", SSV2) == {label: label for label in range(-1, 5)}
    assert labels_after_flip("swap-labels", SSV2[:4]) == {0: 1, 1: 0, 2: 2}


def test_the_user_is_told_what_keeps_clips_from_being_mirrored():
    (note,) = flip_notes("auto", SSV2)
    assert "'Pulling something from left to right' names a side (1 of 4 such classes)" in note
    assert "--flip swap-labels" in note
    (note,) = flip_notes("swap-labels", SSV2[:4])
    assert "'Turning the camera right while filming something' are never mirrored" in note
    for flip in ("none", "plain", "swap-labels"):
        assert not flip_notes(flip, SSV2)
    assert not flip_notes("auto", SSV2[2:3])
