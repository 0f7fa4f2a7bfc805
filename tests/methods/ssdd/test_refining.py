import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.data.images.seeds import Scored, one_hot
from attncli.methods.ssdd.difference import Biases
from attncli.methods.ssdd.refining import Rules, refine_image
from attncli.methods.ssdd.static import Detected
from tests.support.networks import build
from tests.support.settings import tiny

CPU = torch.device("cpu")
PLAIN = Rules(Biases(advice=0.0), shrink_below=0.0)


class Foreseeing:
    """A network that foresees change wherever a label map has a class, and notes what it saw."""

    def __init__(self, label: int) -> None:
        self.label = label
        self.seen: list[tuple[torch.Tensor, ...]] = []

    def __call__(self, images, label_maps) -> Detected:
        self.seen.append(label_maps)
        grid = tuple(-(-side // 4) for side in images.shape[2:])
        assert all(labels.shape[1:] == grid for labels in label_maps)
        d = tuple(torch.where(labels == self.label, 8.0, -8.0) for labels in label_maps)
        return Detected(torch.zeros(1, 3, *grid), d)


def seeds(size_hw=(12, 16)):
    """Knowledge with class 1 at the left, advice with class 2 at the top."""
    knowledge, advice = np.zeros((2, *size_hw), np.uint8)
    knowledge[:, :8], advice[:4] = 1, 2
    return one_hot(knowledge), one_hot(advice)


def refine(network, knowledge, advice, rules=PLAIN, *, image=None, shown=(True, True)):
    size_hw = knowledge.scores.shape[1:]
    image = np.zeros((*size_hw, 3), np.uint8) if image is None else image
    return refine_image(network, image, knowledge, advice, np.array(shown), rules, device=CPU)


def test_advice_is_taken_where_the_change_of_knowledge_is_foreseen():
    knowledge, advice = seeds()
    made = refine(Foreseeing(1), knowledge, advice)
    expected = np.where(
        made.knowledge_difference >= made.advice_difference, advice.label_map, knowledge.label_map
    )
    np.testing.assert_array_equal(made.labels, expected)
    assert made.labels[11, 0] == 0  # class 1 would change, and does
    assert made.labels[0, 0] == 2


def test_the_scores_kept_are_those_of_the_seed_that_was_taken():
    knowledge, advice = seeds()
    made = refine(Foreseeing(2), knowledge, advice)
    assert made.scored.classes.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(made.scored.label_map, made.labels)


def test_a_bias_decides_where_nothing_is_foreseen():
    knowledge, advice = seeds()
    never = Foreseeing(9)
    for bias, taken in ((0.1, advice), (-0.1, knowledge)):
        made = refine(never, knowledge, advice, Rules(Biases(advice=bias), 0.0))
        np.testing.assert_array_equal(made.labels, taken.label_map)


def test_a_class_that_shrinks_keeps_its_knowledge_where_advice_says_another():
    knowledge, advice = seeds()  # class 1 is gone in the advice
    rules = Rules(Biases(advice=0.5), shrink_below=0.5)
    made = refine(Foreseeing(9), knowledge, advice, rules, shown=(True, False))
    assert (made.labels[:, :8] == 1).all()
    assert (made.labels[:4, 8:] == 2).all()


@pytest.mark.parametrize("size_hw", [(12, 16), (13, 18), (1, 1), (3, 21)])
def test_images_of_any_size_are_refined(size_hw):
    network = build("ssdd", tiny("ssdd"), 2).model.eval()
    image = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), np.uint8)
    made = refine(network, *seeds(size_hw), image=image)
    assert made.labels.shape == made.segmented.shape == size_hw
    assert made.knowledge_difference.shape == made.advice_difference.shape == size_hw
    assert 0 <= made.knowledge_difference.min() <= made.knowledge_difference.max() <= 1


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31), st.integers(5, 19), st.integers(5, 19))
def test_mirrored_images_and_seeds_have_mirrored_results(seed, height, width):
    rng = np.random.default_rng(seed)
    network = build("ssdd", tiny("ssdd"), 2, seed=seed).model.eval()
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    pair = [
        Scored(np.array([0, 1, 2]), rng.random((3, height, width), np.float32)) for _ in range(2)
    ]
    mirrored = [Scored(one.classes, one.scores[:, :, ::-1].copy()) for one in pair]
    rules = Rules(Biases(advice=0.1, background=0.1), shrink_below=0.5)
    made = refine(network, *pair, rules, image=image)
    other = refine(network, *mirrored, rules, image=image[:, ::-1].copy())
    np.testing.assert_allclose(
        other.knowledge_difference[:, ::-1], made.knowledge_difference, atol=1e-5
    )
    # Where the confidence is not 0 but for rounding, the labels are the same.
    same = other.labels[:, ::-1] == made.labels
    assert same.mean() > 0.98


def test_a_mirrored_look_is_an_option():
    network = Foreseeing(1)
    refine(network, *seeds(), Rules(Biases(advice=0.0), 0.0, flip=False))
    assert len(network.seen) == 1
    refine(network, *seeds())
    (upright, _), (mirrored, _) = network.seen[1:]
    assert torch.equal(mirrored, upright.flip(2))
