"""Expected values are computed by hand or by loops written from the paper."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from attncli.batches import ClipBatch
from attncli.config.object_abn import AbnConfig, ObjectAbnConfig, X3DConfig
from attncli.errors import AttncliError
from attncli.losses.classification import AbnCriterion
from attncli.losses.masks import resize_masks
from attncli.methods.object_abn import (
    ObjectAbnCriterion,
    build_abn,
    build_object_abn,
    build_x3d,
)
from attncli.types import AttentionEdit, BranchOutputs
from tests.support.batches import clip_batch
from tests.support.reporters import Told

HERE = Path()
SMALL: dict[str, Any] = {
    "data": HERE,
    "weights": "none",
    "width_factor": 0.5,
    "depth_factor": 0.5,
}


def outputs(**changes: Tensor) -> BranchOutputs:
    # Scores of ln 3 and 0: softmax gives 3/4 and 1/4.
    scores = torch.tensor([[math.log(3), 0.0], [math.log(3), 0.0]])
    fields = {"scores": scores, "attention_scores": torch.zeros(2, 2)} | changes
    return BranchOutputs(**fields)


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
    assert build_abn(AbnConfig(**settings), 2).objective.criterion == AbnCriterion(2.0)
    ways: dict[str, Any] = {"lambda_mask": 3.0, "mask_resize": "max", "empty_frames": "ignore"}
    learned = build_object_abn(ObjectAbnConfig(**settings, masks=HERE, **ways), 2)
    criterion = learned.objective.criterion
    assert criterion == ObjectAbnCriterion(lambda_att=2.0, **ways)


def test_a_batch_without_masks_is_refused():
    criterion = ObjectAbnCriterion(
        lambda_att=1.0, lambda_mask=10.0, mask_resize="nearest", empty_frames="zero"
    )
    with pytest.raises(AttncliError, match="needs masks; pass --masks"):
        criterion(outputs(spatial_attention=torch.zeros(2, 4, 4, 4)), clip_batch())


@pytest.mark.parametrize("branch", ["abn", "light"])
def test_the_map_of_a_224_pixel_clip_has_14_by_14_cells(branch):
    config = AbnConfig(data=HERE, weights="none", depth_factor=0.2, attention_branch=branch)
    model = build_abn(config, 7).model
    frames = torch.randint(0, 256, (1, 3, 16, 224, 224), dtype=torch.uint8)
    with torch.no_grad():
        answer = model.eval()(frames)
    assert answer.spatial_attention.shape == (1, 16, 14, 14)
    assert answer.scores.shape == answer.attention_scores.shape == (1, 7)
    assert 0 <= answer.spatial_attention.min() <= answer.spatial_attention.max() <= 1


def test_the_branch_starts_from_the_next_stage_and_shares_nothing_with_it():
    model = build_abn(AbnConfig(**SMALL), 5).model
    trunk, stage = model.attention_branch.trunk, model.backbone.next_stage
    for key, value in stage.state_dict().items():
        assert torch.equal(trunk.state_dict()[key], value)
    with torch.no_grad():
        next(trunk.parameters()).add_(1)
    assert not torch.equal(next(trunk.parameters()), next(stage.parameters()))


def test_class_scores_are_the_mean_of_a_score_map():
    # GAP(conv(z)), as the paper draws it, against our conv(GAP(z)).
    model = build_abn(AbnConfig(**SMALL), 5).model
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
    model = build_abn(AbnConfig(**SMALL, mechanism=mechanism), 5).model
    model.eval()
    batch = clip_batch()
    with torch.no_grad():
        answer = model(batch.frames)
        features = model.backbone.extract(batch.frames)
        weight = answer.spatial_attention.unsqueeze(1) + (mechanism == "residual")
        expected = model.backbone.perceive(features * weight)
    torch.testing.assert_close(answer.scores, expected)


def test_an_inverted_map_acts_and_is_shown():
    model = build_abn(AbnConfig(**SMALL), 5).model
    model.eval()
    frames = clip_batch().frames
    with torch.no_grad():
        features = model.extract(frames)
        own = model(frames)
        inverted = model(frames, AttentionEdit(invert_spatial=True))
        expected = model.backbone.perceive(features * (2 - own.spatial_attention.unsqueeze(1)))
    torch.testing.assert_close(inverted.spatial_attention, 1 - own.spatial_attention)
    torch.testing.assert_close(inverted.scores, expected)
    assert torch.equal(inverted.attention_scores, own.attention_scores)


def test_the_perception_branch_trains_the_map_too():
    model = build_abn(AbnConfig(**SMALL), 5).model
    model(clip_batch().frames).scores.square().sum().backward()
    assert model.attention_branch.to_map.weight.grad.any()


def test_new_convolutions_keep_the_variance_of_gradients():
    # Kaiming, fan out: variance 2 / (out channels x kernel volume).
    model = build_abn(AbnConfig(**SMALL), 400).model
    weight = model.attention_branch.to_scores.weight
    assert weight.std().item() == pytest.approx(math.sqrt(2 / 400), rel=0.02)


def test_a_classifier_left_at_random_is_reported(tmp_path):
    model = build_x3d(X3DConfig(**SMALL), 5).model
    torch.save(model.state_dict(), tmp_path / "x3d.pt")
    reporter = Told()
    settings = SMALL | {"weights": str(tmp_path / "x3d.pt")}
    build_x3d(X3DConfig(**settings), 5, reporter=reporter)
    assert not reporter.texts
    build_abn(AbnConfig(**settings), 6, reporter=reporter)
    (text,) = reporter.texts
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
    return clip_batch(frames=frames, masks=masks)


@pytest.mark.slow
@pytest.mark.parametrize("branch", ["abn", "light"])
def test_eight_clips_are_learned_by_heart_and_the_map_lands_on_the_square(branch):
    torch.manual_seed(0)
    config = ObjectAbnConfig(
        **SMALL, masks=HERE, attention_branch=branch, mask_resize="area", dropout=0.0
    )
    # Of two classes, the branch's bias-free path over two rectified channels may miss one.
    learned = build_object_abn(config, 8)
    model, criterion = learned.model, learned.objective.criterion
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    batch = moving_squares()
    for _ in range(60):
        optimizer.zero_grad()
        criterion(model(batch.frames), batch).total.backward()
        optimizer.step()
    answer = model(batch.frames)
    targets = resize_masks(batch.guides["masks"], size_hw=(4, 4), how="area")
    assert (answer.scores.argmax(1) == batch.labels).all()
    assert (answer.attention_scores.argmax(1) == batch.labels).all()
    inside = answer.spatial_attention[targets > 0.7].mean()
    outside = answer.spatial_attention[targets == 0].mean()
    assert inside > outside + 0.4
