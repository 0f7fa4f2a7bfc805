"""Expected values are computed by hand or by loops written from the paper."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attncli.config.object_abn import AbnConfig, ObjectAbnConfig, X3DConfig
from attncli.errors import AttncliError
from attncli.layers.fusion import fuse_for_inference
from attncli.methods import object_abn
from attncli.methods.object_abn import (
    AbnCriterion,
    ObjectAbnCriterion,
    attend,
    build_abn,
    build_object_abn,
    build_x3d,
    classification_criterion,
    mask_loss,
    resize_masks,
    stage_at_stride_1,
)
from attncli.types import BranchOutputs, ClipBatch

HERE = Path()
SMALL: dict[str, Any] = {
    "data": HERE,
    "weights": "none",
    "width_factor": 0.5,
    "depth_factor": 0.5,
}


def clip_batch(
    frames: Tensor | None = None, labels: Tensor | None = None, masks: Tensor | None = None
) -> ClipBatch:
    if frames is None:
        generator = torch.Generator().manual_seed(0)
        frames = torch.randint(0, 256, (2, 3, 4, 64, 64), dtype=torch.uint8, generator=generator)
    n, length = len(frames), frames.shape[2]
    return ClipBatch(
        frames=frames.contiguous(memory_format=torch.channels_last_3d),
        labels=torch.arange(n) % 2 if labels is None else labels,
        rows=torch.arange(n),
        frame_indices=torch.arange(length).repeat(n, 1),
        crops=torch.zeros(n, 4),
        flips=torch.zeros(n, dtype=torch.bool),
        masks=masks,
    )


def outputs(**changes: Tensor) -> BranchOutputs:
    # Scores of ln 3 and 0: softmax gives 3/4 and 1/4.
    scores = torch.tensor([[math.log(3), 0.0], [math.log(3), 0.0]])
    fields = {"scores": scores, "attention_scores": torch.zeros(2, 2)} | changes
    return BranchOutputs(**fields)


def test_eq1_eq4_are_cross_entropies_of_the_two_branches():
    terms = AbnCriterion(lambda_att=1.0)(outputs(), clip_batch()).terms
    # Classes 0 and 1 have probabilities 3/4 and 1/4; a flat attention branch gives 1/2 to both.
    assert terms["per"].item() == pytest.approx(-(math.log(3 / 4) + math.log(1 / 4)) / 2)
    assert terms["att"].item() == pytest.approx(math.log(2))


def test_eq4_is_the_whole_loss_without_attention():
    losses = classification_criterion(outputs(), clip_batch())
    assert losses.total.item() == pytest.approx(-(math.log(3 / 4) + math.log(1 / 4)) / 2)
    assert set(losses.terms) == {"per"}


def test_eq5_weighs_the_attention_branch_by_lambda():
    losses = AbnCriterion(lambda_att=0.5)(outputs(), clip_batch())
    assert losses.total.item() == pytest.approx(
        losses.terms["per"].item() + 0.5 * losses.terms["att"].item()
    )


def test_eq2_and_eq3_weigh_the_features_by_the_map():
    features = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    attention = torch.rand(2, 4, 5, 6, dtype=torch.float64)
    product = attend(features, attention, mechanism="product")
    residual = attend(features, attention, mechanism="residual")
    for b, c, t, h, w in ((0, 0, 0, 0, 0), (1, 2, 3, 4, 5), (1, 0, 2, 1, 3)):
        h1, m = features[b, c, t, h, w].item(), attention[b, t, h, w].item()
        assert product[b, c, t, h, w].item() == pytest.approx(h1 * m)
        assert residual[b, c, t, h, w].item() == pytest.approx(h1 * (1 + m))


def test_eq7_is_a_mean_of_squares_over_frames_rows_and_columns_then_clips():
    torch.manual_seed(0)
    attention = torch.rand(2, 3, 4, 4, dtype=torch.float64)
    masks = torch.rand(2, 3, 8, 8) < 0.4
    targets = resize_masks(masks, size_hw=(4, 4), how="nearest")
    of_clips = []
    for b in range(2):
        squares = [
            (attention[b, t, i, j].item() - targets[b, t, i, j].item()) ** 2
            for t in range(3)
            for i in range(4)
            for j in range(4)
        ]
        of_clips.append(sum(squares) / len(squares))
    assert mask_loss(attention, masks).item() == pytest.approx(sum(of_clips) / 2, rel=1e-5)


def test_eq7_of_a_map_of_one_half_is_a_quarter_whatever_the_mask():
    masks = torch.rand(2, 3, 8, 8) < 0.4
    assert mask_loss(torch.full((2, 3, 4, 4), 0.5), masks).item() == pytest.approx(0.25)


def test_eq8_adds_the_weighted_mask_loss():
    criterion = ObjectAbnCriterion(
        lambda_att=2.0, lambda_mask=10.0, mask_resize="nearest", empty_frames="zero"
    )
    answer = outputs(spatial_attention=torch.full((2, 4, 4, 4), 0.5))
    losses = criterion(answer, clip_batch(masks=torch.ones(2, 4, 64, 64, dtype=torch.bool)))
    per, att = losses.terms["per"].item(), losses.terms["att"].item()
    assert losses.terms["mask"].item() == pytest.approx(0.25)
    assert losses.total.item() == pytest.approx(per + 2 * att + 10 * 0.25)


def test_the_losses_take_their_weights_and_ways_from_the_settings():
    settings = SMALL | {"lambda_att": 2.0}
    assert build_abn(AbnConfig(**settings), 2)[1] == AbnCriterion(2.0)
    ways: dict[str, Any] = {"lambda_mask": 3.0, "mask_resize": "max", "empty_frames": "ignore"}
    _, criterion = build_object_abn(ObjectAbnConfig(**settings, masks=HERE, **ways), 2)
    assert criterion == ObjectAbnCriterion(lambda_att=2.0, **ways)


def test_a_batch_without_masks_is_refused():
    criterion = ObjectAbnCriterion(
        lambda_att=1.0, lambda_mask=10.0, mask_resize="nearest", empty_frames="zero"
    )
    with pytest.raises(AttncliError, match="needs masks; pass --masks"):
        criterion(outputs(spatial_attention=torch.zeros(2, 4, 4, 4)), clip_batch())


def test_losses_of_16_bit_scores_are_in_32_bits():
    scores = outputs().scores.bfloat16()
    losses = AbnCriterion(1.0)(outputs(scores=scores, attention_scores=scores), clip_batch())
    assert losses.total.dtype == torch.float32


def cells(masks: Tensor, size: int) -> dict[str, Tensor]:
    """The three ways down to a grid whose cells are whole blocks of pixels."""
    n, length, rows, _ = masks.shape
    side = rows // size
    answer = {how: torch.zeros(n, length, size, size) for how in ("nearest", "area", "max")}
    for b in range(n):
        for t in range(length):
            for i in range(size):
                for j in range(size):
                    top, left = i * side, j * side
                    block = masks[b, t, top : top + side, left : left + side]
                    centre = masks[b, t, top + side // 2, left + side // 2]
                    answer["nearest"][b, t, i, j] = float(centre)
                    answer["area"][b, t, i, j] = block.float().mean()
                    answer["max"][b, t, i, j] = float(block.any())
    return answer


@pytest.mark.parametrize("how", ["nearest", "area", "max"])
def test_masks_come_to_the_grid_cell_by_cell(how):
    masks = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.1
    torch.testing.assert_close(resize_masks(masks, size_hw=(4, 4), how=how), cells(masks, 4)[how])


@pytest.mark.parametrize("how", ["nearest", "area", "max"])
def test_masks_of_no_whole_number_of_cells_stay_in_0_to_1(how):
    masks = torch.rand(1, 2, 15, 17) < 0.5
    resized = resize_masks(masks, size_hw=(4, 4), how=how)
    assert resized.shape == (1, 2, 4, 4)
    assert 0 <= resized.min() <= resized.max() <= 1
    assert resize_masks(torch.ones_like(masks), size_hw=(4, 4), how=how).eq(1).all()


def test_empty_frames_ask_for_zero_or_for_nothing():
    attention = torch.full((2, 2, 4, 4), 0.5)
    attention[0, 1] = 0.25
    masks = torch.zeros(2, 2, 8, 8, dtype=torch.bool)
    masks[0, 0] = True
    # Frame errors: clip 0 has (1/2)^2 and (1/4)^2, clip 1 twice (1/2)^2; only the first has a mask.
    zero = ((1 / 4 + 1 / 16) / 2 + 1 / 4) / 2
    assert mask_loss(attention, masks, empty_frames="zero").item() == pytest.approx(zero)
    assert mask_loss(attention, masks, empty_frames="ignore").item() == pytest.approx(1 / 8)


def test_a_batch_without_any_object_has_no_gradient_when_empty_frames_are_ignored():
    attention = torch.rand(2, 2, 4, 4, requires_grad=True)
    masks = torch.zeros(2, 2, 8, 8, dtype=torch.bool)
    mask_loss(attention, masks, empty_frames="ignore").backward()
    assert not attention.grad.any()


def test_gradient_of_the_mask_loss_agrees_with_finite_differences():
    attention = torch.rand(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    masks = torch.rand(2, 2, 9, 9) < 0.3
    for empty in ("zero", "ignore"):
        assert torch.autograd.gradcheck(
            lambda a, empty=empty: mask_loss(a.double(), masks, empty_frames=empty).double(),
            attention,
            eps=1e-3,
            atol=1e-3,
        )


@pytest.mark.parametrize("branch", ["abn", "light"])
def test_the_map_of_a_224_pixel_clip_has_14_by_14_cells(branch):
    config = AbnConfig(data=HERE, weights="none", depth_factor=0.2, attention_branch=branch)
    model, _ = build_abn(config, 7)
    frames = torch.randint(0, 256, (1, 3, 16, 224, 224), dtype=torch.uint8)
    with torch.no_grad():
        answer = model.eval()(frames)
    assert answer.spatial_attention.shape == (1, 16, 14, 14)
    assert answer.scores.shape == answer.attention_scores.shape == (1, 7)
    assert 0 <= answer.spatial_attention.min() <= answer.spatial_attention.max() <= 1


def test_the_branch_starts_from_the_next_stage_and_shares_nothing_with_it():
    model, _ = build_abn(AbnConfig(**SMALL), 5)
    trunk, stage = model.attention_branch.trunk, model.backbone.next_stage
    for key, value in stage.state_dict().items():
        assert torch.equal(trunk.state_dict()[key], value)
    with torch.no_grad():
        next(trunk.parameters()).add_(1)
    assert not torch.equal(next(trunk.parameters()), next(stage.parameters()))


def test_a_stage_at_stride_1_samples_to_the_same_values_as_the_stage():
    # At stride 1 the first block computes every cell, of which the stage keeps every second.
    torch.manual_seed(0)
    stage = object_abn.x3d.build_x3d(
        "m", n_classes=2, width_factor=0.5, depth_factor=0.2
    ).next_stage
    stage.eval()
    block, whole = stage.res_blocks[0], stage_at_stride_1(stage).res_blocks[0]
    block.branch2.norm_b[1] = whole.branch2.norm_b[1] = nn.Identity()
    x = torch.randn(1, stage.in_channels, 2, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(whole(x)[..., ::2, ::2], block(x))


def test_class_scores_are_the_mean_of_a_score_map():
    # GAP(conv(z)), as the paper draws it, against our conv(GAP(z)).
    model, _ = build_abn(AbnConfig(**SMALL), 5)
    branch = model.attention_branch.eval()
    features = torch.randn(2, model.backbone.next_stage.in_channels, 3, 4, 4)
    with torch.no_grad():
        z = functional.relu(
            branch.class_norm(branch.to_classes(branch.norm(branch.trunk(features))))
        )
        expected = functional.conv3d(z, branch.to_scores.weight).mean((2, 3, 4))
        torch.testing.assert_close(branch(features).scores, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mechanism", ["residual", "product"])
def test_the_perception_branch_sees_the_weighed_features(mechanism):
    model, _ = build_abn(AbnConfig(**SMALL, mechanism=mechanism), 5)
    model.eval()
    batch = clip_batch()
    with torch.no_grad():
        answer = model(batch.frames)
        features = model.backbone.extract(batch.frames)
        weight = answer.spatial_attention.unsqueeze(1) + (mechanism == "residual")
        expected = model.backbone.perceive(features * weight)
    torch.testing.assert_close(answer.scores, expected)


def test_the_perception_branch_trains_the_map_too():
    model, _ = build_abn(AbnConfig(**SMALL), 5)
    model(clip_batch().frames).scores.square().sum().backward()
    assert model.attention_branch.to_map.weight.grad.any()


@pytest.mark.parametrize("branch", ["abn", "light"])
@pytest.mark.parametrize("dtype", [None, torch.bfloat16, torch.float16])
def test_every_parameter_gets_a_finite_gradient_at_any_precision(branch, dtype):
    torch.manual_seed(0)
    config = ObjectAbnConfig(**SMALL, masks=HERE, attention_branch=branch)
    model, criterion = build_object_abn(config, 2)
    batch = clip_batch(masks=torch.rand(2, 4, 64, 64) < 0.3)
    with torch.autocast("cpu", dtype=dtype, enabled=dtype is not None):
        answer = model(batch.frames)
        losses = criterion(answer, batch)
    losses.total.backward()
    assert losses.total.dtype == answer.spatial_attention.dtype == torch.float32
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("branch", ["abn", "light"])
def test_a_fused_network_answers_the_same(branch):
    torch.manual_seed(0)
    model, _ = build_abn(AbnConfig(**SMALL, attention_branch=branch), 5)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    batch = clip_batch()
    with torch.no_grad():
        expected, got = model.eval()(batch.frames), fuse_for_inference(model)(batch.frames)
    for name in ("scores", "attention_scores", "spatial_attention"):
        torch.testing.assert_close(
            getattr(got, name), getattr(expected, name), rtol=1e-3, atol=1e-4
        )


def test_new_convolutions_keep_the_variance_of_gradients():
    # Kaiming, fan out: variance 2 / (out channels x kernel volume).
    model, _ = build_abn(AbnConfig(**SMALL), 400)
    weight = model.attention_branch.to_scores.weight
    assert weight.std().item() == pytest.approx(math.sqrt(2 / 400), rel=0.02)


class Notes:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)

    warn = note

    def track(self, items, *, label, total=None, unit="it"):
        yield from items


def test_a_classifier_left_at_random_is_reported(tmp_path):
    model, _ = build_x3d(X3DConfig(**SMALL), 5)
    torch.save(model.state_dict(), tmp_path / "x3d.pt")
    notes = Notes()
    settings = SMALL | {"weights": str(tmp_path / "x3d.pt")}
    build_x3d(X3DConfig(**settings), 5, reporter=notes)
    assert not notes.texts
    build_abn(AbnConfig(**settings), 6, reporter=notes)
    (text,) = notes.texts
    assert "blocks.5.proj.weight" in text


def moving_squares() -> ClipBatch:
    """Eight clips of a bright square on noise; it moves right in four of them, down in four."""
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 100, (8, 3, 4, 64, 64), dtype=torch.uint8, generator=generator)
    masks = torch.zeros(8, 4, 64, 64, dtype=torch.bool)
    for clip in range(8):
        for t in range(4):
            step, lane = 12 * t, 16 * (clip // 2 % 4)
            top, left = (lane, step) if clip % 2 == 0 else (step, lane)
            masks[clip, t, top : top + 16, left : left + 16] = True
    frames[masks.unsqueeze(1).expand(-1, 3, -1, -1, -1)] = 230
    return clip_batch(frames, torch.arange(8) % 2, masks)


@pytest.mark.slow
@pytest.mark.parametrize("branch", ["abn", "light"])
def test_eight_clips_are_learned_by_heart_and_the_map_lands_on_the_square(branch):
    torch.manual_seed(0)
    config = ObjectAbnConfig(
        **SMALL, masks=HERE, attention_branch=branch, mask_resize="area", dropout=0.0
    )
    # Of two classes, the branch's bias-free path over two rectified channels may miss one.
    model, criterion = build_object_abn(config, 8)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    batch = moving_squares()
    for _ in range(60):
        optimizer.zero_grad()
        criterion(model(batch.frames), batch).total.backward()
        optimizer.step()
    answer = model(batch.frames)
    targets = resize_masks(batch.masks, size_hw=(4, 4), how="area")
    assert (answer.scores.argmax(1) == batch.labels).all()
    assert (answer.attention_scores.argmax(1) == batch.labels).all()
    inside = answer.spatial_attention[targets > 0.7].mean()
    outside = answer.spatial_attention[targets == 0].mean()
    assert inside > outside + 0.4
