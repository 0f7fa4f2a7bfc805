import numpy as np
import pytest
import torch

from attncli.workflows.refine_seeds.imported_scores import UnfitError, imported

SIZE_HW = (3, 4)


def plane(value=0.5, size_hw=SIZE_HW):
    return np.full(size_hw, value, np.float32)


def planes(*keys):
    """Return a dictionary as PSA writes them, whose values tell the key."""
    return {key: plane(key / 100) for key in keys}


def read(content, kind="walk", shown=(2, 6), **changes):
    known = None if shown is None else frozenset(shown)
    return imported(content, kind=kind, shown=known, n_classes=20, size_hw=SIZE_HW, **changes)


def irn(keys, high_res, **more):
    return {"keys": torch.tensor(keys), "cam": torch.zeros(len(keys), 1, 1), "high_res": high_res}


def test_keys_of_class_activation_maps_count_from_the_first_class():
    found = read(planes(6, 2), "cam")
    assert found.classes.tolist() == [3, 7]
    assert found.scores.dtype == np.float32
    np.testing.assert_allclose(found.scores[:, 0, 0], [0.02, 0.06], rtol=1e-6)


@pytest.mark.parametrize("kind", ["walk", "crf"])
def test_keys_of_what_comes_after_count_from_the_background(kind):
    found = read(planes(0, 7, 3), kind)
    assert found.classes.tolist() == [0, 3, 7]
    np.testing.assert_allclose(found.scores[:, 0, 0], [0, 0.03, 0.07], rtol=1e-6)


def test_the_same_keys_are_told_apart_by_what_the_image_shows():
    assert read(planes(0, 5), "cam", shown=(0, 5)).classes.tolist() == [1, 6]
    assert read(planes(0, 5), "walk", shown=(4,)).classes.tolist() == [0, 5]
    assert read(planes(0, 1), "cam", shown=(0, 1)).classes.tolist() == [1, 2]
    assert read(planes(0, 1), "walk", shown=(0,)).classes.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("keys", "kind", "shown", "message"),
    [
        ((0, 5), "cam", (4,), "keys 0, 5 do not count from the first class.*--kind walk or crf"),
        ((0, 5), "walk", (0, 5), "keys 0, 5 do not count from the background.*--kind cam"),
        ((2, 6), "crf", (2, 6), "keys 2, 6 do not count from the background, as those of crf"),
        ((0,), "cam", (0, 3), "key(s) 0 may count from the background or from the first class"),
        ((0,), "walk", (0, 3), "may count from the background or from the first class"),
        ((0, 1), "walk", (0, 1), "do not count from the background"),
        ((2, 9), "cam", (2,), "map of key 9, a class that the image's labels lack"),
        ((0, 3, 10), "walk", (2,), "map of key 10, a class that the image's labels lack"),
        ((2, 20), "cam", (2,), "map of key 20, a class that the dataset lacks"),
        ((0, 3, 21), "crf", (2,), "map of key 21, a class that the dataset lacks"),
        ((-1, 2), "cam", (2,), "map of key -1, a class that the dataset lacks"),
        ((3,), "walk", (2,), "keys 3 lack 0, the background's"),
    ],
)
def test_what_classes_the_keys_are_of_is_never_guessed(keys, kind, shown, message):
    with pytest.raises(UnfitError, match=message.replace("(s)", "s?")):
        read(planes(*keys), kind, shown)


def test_without_image_labels_keys_have_to_tell_by_themselves():
    assert read(planes(3, 7), "cam", shown=None).classes.tolist() == [4, 8]
    assert read(planes(0, 20), "walk", shown=None).classes.tolist() == [0, 20]
    for kind in ("cam", "walk"):
        with pytest.raises(UnfitError, match="what the image shows is not known"):
            read(planes(0, 7), kind, shown=None)


def test_irns_dictionaries_are_read_at_full_size():
    found = read(irn([2, 6], np.stack([plane(0.1), plane(0.9)])), "cam")
    assert found.classes.tolist() == [3, 7]
    np.testing.assert_allclose(found.scores[:, 1, 1], [0.1, 0.9], rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (irn([2], np.stack([plane()])), "walk", "maps of IRN, not walk: pass --kind cam"),
        (irn([2, 6], np.stack([plane()])), "cam", "2 different keys for 1 maps"),
        (irn([2, 2], np.stack([plane()] * 2)), "cam", "1 different keys for 2 maps"),
        ({"keys": torch.tensor([2])}, "cam", "no maps called high_res"),
        ({"keys": torch.tensor(2), "high_res": plane()}, "cam", "in the place of an array"),
        ({"keys": [2], "high_res": plane()}, "cam", "holds a list in the place of an array"),
    ],
)
def test_irns_dictionaries_that_are_not_whole_are_refused(content, kind, message):
    with pytest.raises(UnfitError, match=message):
        read(content, kind)


def test_maps_alone_are_of_the_classes_shown_with_the_background_first():
    maps = np.stack([plane(0.7), plane(0.2), plane(0.1)])
    found = read(maps, "crf")
    assert found.classes.tolist() == [0, 3, 7]
    np.testing.assert_array_equal(found.scores, maps)
    assert read(maps[:2], "cam").classes.tolist() == [3, 7]


@pytest.mark.parametrize(
    ("content", "kind", "shown", "message"),
    [
        (np.stack([plane()] * 2), "crf", (2, 6), "holds 2 maps, not 3: of each class shown, and"),
        (np.stack([plane()] * 3), "cam", (2, 6), "holds 3 maps, not 2: of each class shown"),
        (np.stack([plane()] * 3), "crf", None, "not known which classes the image shows"),
        (plane(), "crf", (2,), "not of maps, rows and columns"),
        ([plane()], "crf", (2,), "holds a list, neither a dictionary nor an array"),
        ({"dog": plane()}, "crf", (2,), "the key 'dog', which is not the number"),
        ({True: plane()}, "crf", (2,), "the key True, which is not the number"),
        ({0: plane(), 3: plane(size_hw=(4, 3))}, "crf", (2,), "a map of 3x4, its image is 4x3"),
        ({0: plane(), 3: plane(1.5)}, "crf", (2,), r"a score is 1\.5, they are in \[0, 1\]"),
        ({0: plane(), 3: plane(np.nan)}, "crf", (2,), "a score is nan"),
        ({0: plane(), 3: plane().astype(np.uint8)}, "crf", (2,), "uint8 in the place of scores"),
        ({0: plane(), 3: "map"}, "crf", (2,), "a str in the place of an array"),
    ],
)
def test_what_cannot_be_scores_of_the_image_is_refused(content, kind, shown, message):
    with pytest.raises(UnfitError, match=message):
        read(content, kind, shown)


def test_what_single_precision_adds_to_scores_is_cut_off():
    found = read({0: plane(1.0004), 3: plane(-0.0004)}, "walk", shown=(2,))
    assert (found.scores.min(), found.scores.max()) == (0, 1)


def test_an_image_of_background_has_no_class_activation_maps():
    found = read({}, "cam", shown=())
    assert found.classes.shape == (0,)
    assert found.scores.shape == (0, *SIZE_HW)
    assert read(planes(0), "walk", shown=()).classes.tolist() == [0]
