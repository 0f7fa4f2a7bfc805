import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.methods.ssdd.difference import (
    Biases,
    confidence,
    counted,
    difference_loss,
    differing,
    gated,
    kept,
    mean_over_kept,
    pooled_difference_loss,
    refined,
    shrinking,
)


def maps(*rows):
    return torch.tensor([rows], dtype=torch.uint8)


K = maps((0, 0, 1, 1), (0, 2, 2, 2))
A = maps((0, 1, 1, 1), (0, 0, 0, 2))
LABELS = torch.tensor([[True, True, False]])


def test_the_difference_is_1_where_labels_differ_not_where_they_are_equal():
    assert differing(K, A).int().tolist() == [[[0, 1, 0, 0], [0, 1, 1, 0]]]


def test_eq_change_loss_by_hand():
    # M = 1 at one pixel of four: half its loss, and half the mean of the other three.
    differs = torch.tensor([[[True, False], [False, False]]])
    d = torch.tensor([[[0.9, 0.2], [0.5, 0.25]]], dtype=torch.float64)
    alike = (math.log(0.8) + math.log(0.5) + math.log(0.75)) / 3
    expected = -(math.log(0.9) + alike) / 2
    found = difference_loss(d.logit(), differs, torch.ones_like(differs))
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_ignored_pixels_count_for_nothing():
    knowledge, advice = maps((0, 255, 1)), maps((0, 1, 255))
    assert counted(knowledge, advice).tolist() == [[[True, False, False]]]
    logits = torch.tensor([[[0.3, 50.0, -50.0]]])
    alone = difference_loss(logits[..., :1], *(x[..., :1] for x in masks(knowledge, advice)))
    torch.testing.assert_close(difference_loss(logits, *masks(knowledge, advice)), alone)


def masks(knowledge, advice):
    return differing(knowledge, advice), counted(knowledge, advice)


@pytest.mark.parametrize("value", [False, True])
def test_no_change_and_nothing_but_change_are_finite_halves(value):
    differs = torch.full((1, 2, 2), value)
    logits = torch.zeros(1, 2, 2, requires_grad=True)
    loss = difference_loss(logits, differs, torch.ones_like(differs)).sum()
    assert loss.item() == pytest.approx(math.log(2) / 2)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(gradient).all()
    none = difference_loss(logits, differs, torch.zeros_like(differs)).sum()
    assert none.item() == 0


def test_pooled_over_a_batch_every_pixel_weighs_the_same():
    differs = torch.tensor([[[True, False]], [[True, True]]])
    d = torch.tensor([[[0.9, 0.2]], [[0.6, 0.3]]])
    expected = -((math.log(0.9) + math.log(0.6) + math.log(0.3)) / 3 + math.log(0.8)) / 2
    found = pooled_difference_loss(d.logit(), differs, torch.ones_like(differs))
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_sample_exclusion_by_hand():
    # Class 1: 2 pixels to 3. Class 2: 3 to 1, a third. Class 3 is not shown.
    assert shrinking(K, A, LABELS).tolist() == [[False, False, True, False]]
    assert not shrinking(K, A, LABELS, below=1 / 3).any()
    assert not shrinking(K, A, torch.zeros_like(LABELS)).any()


def test_a_class_shown_that_neither_map_has_shrinks():
    assert shrinking(K, A, torch.tensor([[False, False, True]])).tolist() == [
        [False, False, False, True]
    ]


def test_exactly_half_does_not_shrink():
    assert not shrinking(maps((1, 1)), maps((1, 0)), torch.tensor([[True]])).any()


@pytest.mark.parametrize(
    ("exclusion", "expected"),
    [
        ("any", [True, False, False, True]),
        ("all", [True, True, False, True]),
        ("none", [True] * 4),
    ],
)
def test_which_images_are_kept(exclusion, expected):
    labels = torch.tensor([[True, True], [True, True], [True, True], [False, False]])
    flags = torch.tensor([[0, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0]], dtype=torch.bool)
    assert kept(flags, labels, exclusion).tolist() == expected


def test_the_mean_is_over_kept_images_alone():
    losses = torch.tensor([1.0, 2.0, 6.0])
    assert mean_over_kept(losses, torch.tensor([True, False, True])).item() == 3.5
    assert mean_over_kept(losses, torch.zeros(3, dtype=torch.bool)).item() == 0


def test_eq_confidence_by_hand():
    # K says 2, which shrinks, and A background: 0.3 - 0.6 + 0.4 + 0.1 (A background) - 1 (K's b).
    flags = shrinking(K, A, LABELS)
    d_k, d_a = torch.full((1, 2, 4), 0.3), torch.full((1, 2, 4), 0.6)
    w = confidence(d_k, d_a, K, A, flags, Biases(advice=0.4, background=0.1))
    torch.testing.assert_close(w[0, 1, 1], torch.tensor(0.3 - 0.6 + 0.4 + 0.1 - 1.0))
    # K says background, A class 1, which does not shrink: 0.3 - 0.6 + 0.4 - 0.1.
    torch.testing.assert_close(w[0, 0, 1], torch.tensor(0.3 - 0.6 + 0.4 - 0.1))
    without = confidence(d_k, d_a, K, A, flags, Biases(advice=0.4, shrinking=0.0))
    torch.testing.assert_close(without, torch.full((1, 2, 4), 0.1))


def test_refinement_takes_the_advice_from_zero_on():
    w = torch.tensor([[[0.0, -0.01, 1.0, 1.0, 1.0]]])
    knowledge, advice = maps((1, 1, 1, 255, 1)), maps((2, 2, 2, 2, 255))
    assert refined(knowledge, advice, w).tolist() == [[[2, 1, 2, 255, 1]]]


def test_classes_that_an_image_does_not_show_never_win():
    scores = torch.tensor([1.0, 9.0, 2.0, 3.0]).view(1, 4, 1, 1)
    assert gated(scores, torch.tensor([[False, True, True]])).argmax(1).item() == 3
    assert gated(scores, torch.tensor([[False, False, False]])).argmax(1).item() == 0


def confidence_of_slides(d_p, d_q, m_p, m_q, gamma, b_hat):
    """The paper's w, a pixel at a time: p is the advice, q the knowledge, b^c = gamma_c."""
    b_p = [1.0 if m == 0 else gamma[m - 1] for m in m_p]
    b_q = [1.0 if m == 0 else gamma[m - 1] for m in m_q]
    return [
        (dq + bq) - (dp + bp) + b_hat for dq, bq, dp, bp in zip(d_q, b_q, d_p, b_p, strict=True)
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_the_papers_confidence_is_the_same_with_advice_and_knowledge_named(seed):
    generator = torch.Generator().manual_seed(seed)
    knowledge, advice = (
        torch.randint(0, 4, (1, 1, 40), generator=generator, dtype=torch.uint8) for _ in "KA"
    )
    labels = torch.rand(1, 3, generator=generator) < 0.9
    d_k, d_a = torch.rand(2, 1, 1, 40, generator=generator, dtype=torch.float64)
    flags = shrinking(knowledge, advice, labels)
    ours = confidence(d_k, d_a, knowledge, advice, flags, Biases(advice=0.4))
    gamma = [0.0 if flag else 1.0 for flag in flags[0, 1:].tolist()]
    flat = [x.flatten().tolist() for x in (d_a, d_k, advice, knowledge)]
    assert ours.flatten().tolist() == pytest.approx(confidence_of_slides(*flat, gamma, 0.4))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.booleans())
def test_images_do_not_depend_on_the_others_of_their_batch(seed, reverse):
    generator = torch.Generator().manual_seed(seed)
    order = [1, 0] if reverse else [0, 1]
    both = [torch.randint(0, 4, (2, 5, 6), generator=generator, dtype=torch.uint8) for _ in "KA"]
    labels = torch.rand(2, 3, generator=generator) < 0.5
    together = shrinking(*both, labels)
    alone = [shrinking(*(m[i : i + 1] for m in both), labels[i : i + 1]) for i in order]
    torch.testing.assert_close(together[order], torch.cat(alone))
