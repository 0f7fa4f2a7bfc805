"""Expected values are computed by hand or by loops written from the paper."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attncli.config.st_abn import Resnet3dConfig, StAbnConfig
from attncli.errors import AttncliError
from attncli.files.checkpoints import load_weights
from attncli.layers.fusion import fuse_for_inference
from attncli.losses.classification import classification_criterion
from attncli.losses.masks import mask_loss, spatial_edit_loss
from attncli.methods.st_abn import (
    AttentionMechanism,
    StAbnCriterion,
    StAbnNetwork,
    build_resnet3d,
    build_st_abn,
    concat_attended,
    spatial_mean,
    temporal_loss,
)
from attncli.types import AttentionEdit, BranchOutputs
from tests.support.batches import clip_batch
from tests.support.networks import settle_norms
from tests.support.reporters import Told

HERE = Path()
SMALL: dict[str, Any] = {"data": HERE, "weights": "none", "depth": "18", "width_factor": 0.125}
CONFIG = StAbnConfig(**SMALL, frames=4)
OUTPUTS = ("scores", "attention_scores", "spatial_attention", "temporal_attention")
NAN = math.nan


def outputs(**changes: Tensor) -> BranchOutputs:
    # Scores of ln 3 and 0: softmax gives 3/4 and 1/4.
    scores = torch.tensor([[math.log(3), 0.0], [math.log(3), 0.0]])
    fields = {"scores": scores, "attention_scores": torch.zeros(2, 2)} | changes
    return BranchOutputs(**fields)


def criterion(**changes: Any) -> StAbnCriterion:
    return build_st_abn(replace(CONFIG, **changes), 2).objective.criterion


def network(n_classes: int = 5, **changes: Any) -> StAbnNetwork:
    """Return a small network in evaluation mode, its statistics those of no fresh one."""
    torch.manual_seed(0)
    model = build_st_abn(replace(CONFIG, **changes), n_classes).model
    settle_norms(model, clip_batch(shape=(model.n_frames, 64, 64)).frames)
    return model.eval()


def test_eq1_eq2_eq3_join_features_that_each_kind_of_attention_weighs():
    features = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    m_s = torch.rand(2, 4, 5, 6, dtype=torch.float64)
    m_t = torch.rand(2, 4, dtype=torch.float64)
    joined = concat_attended(features, m_s, m_t)
    assert joined.shape == (2, 6, 4, 5, 6)
    for b, c, t, h, w in ((0, 0, 0, 0, 0), (1, 2, 3, 4, 5), (1, 0, 2, 1, 3)):
        f = features[b, c, t, h, w].item()
        spatial = (1 + m_s[b, t, h, w].item()) * f
        assert joined[b, c, t, h, w].item() == pytest.approx(spatial)
        assert joined[b, 3 + c, t, h, w].item() == pytest.approx(m_t[b, t].item() * f)


def test_eq3_is_reduced_to_the_channels_of_the_features():
    torch.manual_seed(0)
    mechanism = AttentionMechanism(3).eval()
    reduce = mechanism.reduce
    reduce.norm.running_mean.normal_()
    nn.init.normal_(reduce.conv.weight)
    features, m_s, m_t = torch.randn(2, 3, 4, 5, 6), torch.rand(2, 4, 5, 6), torch.rand(2, 4)
    with torch.no_grad():
        joined = concat_attended(features, m_s, m_t)
        mixed = torch.einsum("oc,bcthw->bothw", reduce.conv.weight[:, :, 0, 0, 0], joined)
        means = reduce.norm.running_mean.view(1, 3, 1, 1, 1)
        expected = ((mixed - means) / math.sqrt(1 + reduce.norm.eps)).clamp(min=0)
        torch.testing.assert_close(mechanism(features, m_s, m_t), expected)


def test_eq4_adds_the_losses_of_both_branches_alike():
    losses = criterion()(outputs(), clip_batch())
    # Classes 0 and 1 have probabilities 3/4 and 1/4; a flat attention branch gives 1/2 to both.
    per, att = -(math.log(3 / 4) + math.log(1 / 4)) / 2, math.log(2)
    assert losses.terms["per"].item() == pytest.approx(per)
    assert losses.terms["att"].item() == pytest.approx(att)
    assert losses.total.item() == pytest.approx(per + att)
    assert set(losses.terms) == {"per", "att"}


EDITS = torch.tensor([[0.0, 0.5, 1.0, 1.0], [NAN] * 4])
ATTENTION = torch.tensor([[0.5, 0.5, 0.5, 0.75], [0.1, 0.2, 0.3, 0.4]])
# Squares 1/4, 0, 1/4 and 1/16 over 4 frames; the clip nobody edited adds 0 to the mean of two.
TEMPORAL_LOSS = (1 / 4 + 1 / 4 + 1 / 16) / 4 / 2


def test_eq5_adds_ten_times_the_loss_towards_edits():
    batch = clip_batch(temporal_edits=EDITS)
    losses = criterion()(outputs(temporal_attention=ATTENTION), batch)
    terms = {name: term.item() for name, term in losses.terms.items()}
    assert terms["temp"] == pytest.approx(TEMPORAL_LOSS)
    assert losses.total.item() == pytest.approx(terms["per"] + terms["att"] + 10 * TEMPORAL_LOSS)


def test_eq6_is_a_mean_of_squares_over_frames_then_clips():
    assert temporal_loss(ATTENTION, EDITS).item() == pytest.approx(TEMPORAL_LOSS)
    of_frames = [(a - e) ** 2 for a, e in zip(ATTENTION[0], EDITS[0], strict=True)]
    assert temporal_loss(ATTENTION[:1], EDITS[:1]).item() == pytest.approx(sum(of_frames) / 4)


def test_eq6_has_gradients_only_where_there_is_an_edit():
    attention = ATTENTION.clone().requires_grad_()
    temporal_loss(attention, EDITS).backward()
    # Of (a - e)^2 / 4 / 2: 2 (a - e) / 8.
    torch.testing.assert_close(attention.grad[0], (ATTENTION[0] - EDITS[0]) / 4)
    assert not attention.grad[1].any()


def test_eq6_agrees_with_finite_differences():
    attention = torch.rand(2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: temporal_loss(a, EDITS.double()), attention)


def test_eq6_of_a_batch_without_edits_is_zero():
    assert temporal_loss(ATTENTION, torch.full((2, 4), NAN)).item() == 0


def test_eq7_inverts_spatial_attention_and_nothing_else():
    model, frames = network(), clip_batch().frames
    with torch.no_grad():
        own, inverted = model(frames), model(frames, AttentionEdit(invert_spatial=True))
        features = model.extract(frames)
        # With 1 - Ms in the place of Ms, the features are weighed by 2 - Ms.
        weighed = features * (2 - own.spatial_attention.unsqueeze(1))
        timed = features * own.temporal_attention[:, None, :, None, None]
        expected = model.backbone.perceive(model.mechanism.reduce(torch.cat([weighed, timed], 1)))
    torch.testing.assert_close(inverted.spatial_attention, 1 - own.spatial_attention)
    torch.testing.assert_close(inverted.scores, expected)
    assert not torch.allclose(inverted.scores, own.scores)
    for name in ("temporal_attention", "attention_scores"):
        assert torch.equal(getattr(inverted, name), getattr(own, name))


def test_edited_temporal_attention_acts_and_is_shown():
    model, frames = network(), clip_batch().frames
    edit = torch.tensor([[0.0, 0.5, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
    with torch.no_grad():
        own, edited = model(frames), model(frames, AttentionEdit(temporal=edit))
        attended = model.mechanism(model.extract(frames), own.spatial_attention, edit)
        same = model(frames, AttentionEdit(temporal=own.temporal_attention))
    assert torch.equal(edited.temporal_attention, edit)
    torch.testing.assert_close(edited.scores, model.backbone.perceive(attended))
    assert not torch.allclose(edited.scores, own.scores)
    assert torch.equal(same.scores, own.scores)


def test_masks_pull_spatial_attention_where_they_are_given():
    masks = torch.rand(2, 4, 64, 64) < 0.3
    attention = torch.rand(2, 4, 4, 4)
    ways: dict[str, Any] = {"mask_resize": "area", "empty_frames": "ignore"}
    losses = criterion(lambda_mask=3.0, masks=HERE, **ways)(
        outputs(spatial_attention=attention), clip_batch(masks=masks)
    )
    terms = {name: term.item() for name, term in losses.terms.items()}
    assert terms["mask"] == pytest.approx(mask_loss(attention, masks, **ways).item())
    assert losses.total.item() == pytest.approx(terms["per"] + terms["att"] + 3 * terms["mask"])


def test_spatial_edits_add_their_weighed_loss_to_that_of_temporal_edits():
    edits, attention = torch.rand(2, 4, 64, 64) < 0.3, torch.rand(2, 4, 4, 4)
    is_edited = torch.tensor([[True, True, False, True], [False] * 4])
    batch = clip_batch(spatial_edits=edits, spatially_edited=is_edited, temporal_edits=EDITS)
    answer = outputs(spatial_attention=attention, temporal_attention=ATTENTION)
    losses = criterion(gamma_s=3.0, gamma_t=2.0, mask_resize="area")(answer, batch)
    terms = {name: term.item() for name, term in losses.terms.items()}
    expected = spatial_edit_loss(attention, edits, is_edited, mask_resize="area").item()
    assert terms["spat"] == pytest.approx(expected)
    assert losses.total.item() == pytest.approx(
        terms["per"] + terms["att"] + 2 * terms["temp"] + 3 * terms["spat"]
    )


def test_the_extractor_is_frozen_where_either_kind_of_edits_is_given():
    for name in ("temporal_edits", "spatial_edits"):
        model = network(**{name: HERE, "init": HERE})
        assert not any(w.requires_grad for w in model.backbone.extractor.parameters())
        assert all(w.requires_grad for w in model.attention_branch.parameters())


def test_the_loss_takes_its_weights_and_ways_from_the_settings():
    weights = {"lambda_att": 0.5, "gamma_t": 2.0, "gamma_s": 4.0, "lambda_mask": 3.0}
    ways = {"mask_resize": "max", "empty_frames": "ignore"}
    assert criterion(**weights, **ways) == StAbnCriterion(**weights, **ways)
    plain = build_resnet3d(Resnet3dConfig(**SMALL), 2).objective
    assert plain.criterion is classification_criterion


def bottlenecks(before: int, inner: int, blocks: int, *, frames: int) -> int:
    """Count the parameters of a stage: three convolutions a block, each with its norm."""
    after = 4 * inner
    count = before * after + 2 * after  # the first block's shortcut
    for i in range(blocks):
        count += (after if i else before) * inner * frames + inner * inner * 9 + inner * after
        count += 2 * inner + 2 * inner + 2 * after
    return count


@pytest.mark.parametrize(
    ("depth", "blocks", "expected"), [("50", 6, 55_665_928), ("101", 23, 83_570_952)]
)
def test_parameters_and_shapes_are_the_references_at_32_frames_of_224_pixels(
    depth, blocks, expected
):
    # `expected` is what the authors' network has, of 174 classes.
    k, t = 174, 32
    stages = [
        bottlenecks(64, 64, 3, frames=1),
        bottlenecks(256, 128, 4, frames=1),
        bottlenecks(512, 256, blocks, frames=3),
        bottlenecks(1024, 512, 3, frames=3),
    ]
    stem, head = 3 * 64 * 49 + 2 * 64, 2048 * k + k
    class_maps = stages[3] + 2 * 2048 + 2048 * k + 2 * k
    class_head = k * k + (k * t * k + k)
    spatial, temporal = k + 2, k * 27 + 2 + t * t + 2 * (t * t + t)
    reduction = 2048 * 1024 + 2 * 1024
    by_hand = stem + sum(stages) + head + class_maps + class_head + spatial + temporal + reduction
    with torch.device("meta"):
        model = build_st_abn(StAbnConfig(data=HERE, weights="none", depth=depth), k).model
        frames = torch.empty(2, 3, t, 224, 224, dtype=torch.uint8)
        features, answer = model.extract(frames), model(frames)
    assert sum(weight.numel() for weight in model.parameters()) == by_hand == expected
    assert features.shape == (2, 1024, 32, 14, 14)
    assert answer.spatial_attention.shape == (2, 32, 14, 14)
    assert answer.temporal_attention.shape == (2, 32)
    assert answer.scores.shape == answer.attention_scores.shape == (2, k)


def class_maps(model: StAbnNetwork, frames: Tensor) -> Tensor:
    """Compute z step by step: the copy of res5, norm, 1x1x1 convolution, norm, rectification."""
    branch = model.attention_branch
    trunk = branch.trunk(model.extract(frames))
    return branch.class_norm(branch.to_classes(branch.norm(trunk))).clamp(min=0)


def test_class_scores_of_the_branch_keep_the_frames_apart():
    # As in the reference: convolve, average each frame, flatten class by class, one linear layer.
    model, frames = network(), clip_batch().frames
    branch = model.attention_branch
    with torch.no_grad():
        z = functional.conv3d(class_maps(model, frames), branch.to_scores.weight)
        values = [z[:, k, t].mean((1, 2)) for k in range(5) for t in range(4)]
        expected = branch.classify(torch.stack(values, dim=1))
        torch.testing.assert_close(model(frames).attention_scores, expected)


def test_spatial_attention_is_a_1x1x1_convolution_normalised_and_squashed():
    model, frames = network(), clip_batch().frames
    layer = model.attention_branch.spatial
    with torch.no_grad():
        z = class_maps(model, frames)
        maps = torch.einsum("k,bkthw->bthw", layer.conv.weight.flatten(), z)
        expected = layer.norm(maps.unsqueeze(1)).squeeze(1).sigmoid()
        torch.testing.assert_close(model(frames).spatial_attention, expected)


def test_temporal_attention_mixes_the_frames_of_a_map_then_their_means():
    model, frames = network(), clip_batch().frames
    layer = model.attention_branch.temporal
    with torch.no_grad():
        z = class_maps(model, frames)
        maps = layer.to_map.norm(functional.conv3d(z, layer.to_map.conv.weight, padding=1))
        maps = maps.clamp(min=0).squeeze(1)
        # Frames are channels of a two-dimensional convolution.
        mixed = functional.conv2d(maps, layer.mix_frames.weight.squeeze(2)).clamp(min=0)
        hidden = layer.squeeze(mixed.mean((2, 3))).clamp(min=0)
        expected = layer.excite(hidden).sigmoid()
        torch.testing.assert_close(model(frames).temporal_attention, expected)


def test_a_mean_over_cells_of_16_bits_is_summed_in_32():
    maps = torch.full((1, 64, 64), 0.1, dtype=torch.bfloat16)
    assert spatial_mean(maps).dtype == torch.float32
    assert spatial_mean(maps).item() == pytest.approx(maps[0, 0, 0].item())
    assert spatial_mean(maps.double()).dtype == torch.float64


def test_the_branch_starts_from_res5_and_shares_nothing_with_it():
    model = build_st_abn(CONFIG, 5).model
    trunk, stage = model.attention_branch.trunk, model.backbone.next_stage
    for key, value in stage.state_dict().items():
        assert torch.equal(trunk.state_dict()[key], value)
    with torch.no_grad():
        next(trunk.parameters()).add_(1)
    assert not torch.equal(next(trunk.parameters()), next(stage.parameters()))


def test_both_heads_drop_as_the_settings_say():
    model = build_st_abn(replace(CONFIG, dropout=0.25), 5).model
    assert model.attention_branch.dropout.p == model.backbone.head.dropout.p == 0.25
    assert StAbnConfig(data=HERE).dropout == 0.5


def test_in_a_fused_network_nothing_is_left_to_normalise():
    assert not any(isinstance(m, nn.BatchNorm3d) for m in fuse_for_inference(network()).modules())


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_frozen_extractor_stays_as_it_is(checkpoint):
    torch.manual_seed(0)
    config = replace(CONFIG, init=HERE, temporal_edits=HERE, gamma_t=1e3, dropout=0.0)
    learned = build_st_abn(replace(config, checkpoint_gradients=checkpoint), 2)
    model, criterion = learned.model, learned.objective.criterion
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([w for w in model.parameters() if w.requires_grad], lr=0.1)
    batch = clip_batch(temporal_edits=EDITS)
    model.eval()
    model.train()
    assert not model.extract(batch.frames).requires_grad
    criterion(model(batch.frames), batch).total.backward()
    optimizer.step()
    extractor = tuple(f"backbone.blocks.{i}." for i in range(4))
    for key, value in model.state_dict().items():
        stays = torch.equal(value, before[key])
        assert stays == key.startswith(extractor), key


def test_an_extractor_is_frozen_for_edits_alone():
    trained = [weight.requires_grad for weight in build_st_abn(CONFIG, 2).model.parameters()]
    assert all(trained)


def test_weights_of_clips_of_another_length_are_named_as_such():
    model, other = network(), network(frames=8)
    with pytest.raises(AttncliError) as refusal:
        load_weights(model, other.state_dict(), where=Path("other"))
    message = str(refusal.value)
    assert "other: the weights are for clips of 8 frames, the network for 4" in message
    assert "use weights of --frames 4, or train with --frames 8" in message


@pytest.mark.parametrize("other", [network(6), network(width_factor=0.25)])
def test_weights_that_do_not_fit_for_another_reason_are_not_said_to_be_of_another_length(other):
    with pytest.raises(AttncliError, match=r"of another architecture \(of another shape: "):
        load_weights(network(), other.state_dict(), where=Path("other"))


def test_a_classifier_left_at_random_is_reported(tmp_path):
    model = build_resnet3d(Resnet3dConfig(**SMALL), 5).model
    torch.save(model.state_dict(), tmp_path / "resnet3d.pt")
    reporter = Told()
    settings = SMALL | {"weights": str(tmp_path / "resnet3d.pt"), "frames": 4}
    loaded = build_st_abn(StAbnConfig(**settings), 5, reporter=reporter).model
    assert not reporter.texts
    for key, value in model.next_stage.state_dict().items():
        assert torch.equal(loaded.attention_branch.trunk.state_dict()[key], value)
    build_st_abn(StAbnConfig(**settings), 6, reporter=reporter)
    (text,) = reporter.texts
    assert "blocks.5.proj.weight" in text


def test_temporal_attention_learns_to_follow_edits():
    torch.manual_seed(0)
    tuning = replace(CONFIG, init=HERE, temporal_edits=HERE, dropout=0.0)
    # Of two classes, both branches have two rectified maps, which may miss one.
    learned = build_st_abn(tuning, 8)
    model, criterion = learned.model, learned.objective.criterion
    edits = torch.tensor([[0.0, 0.0, 1.0, 0.5], [1.0, 0.5, 0.0, 0.0]])
    batch = clip_batch(temporal_edits=edits)
    optimizer = torch.optim.Adam([w for w in model.parameters() if w.requires_grad], lr=1e-2)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        answer = model(batch.frames)
        step = criterion(answer, batch)
        step.total.backward()
        optimizer.step()
        losses.append(step.terms["temp"].item())
    assert losses[-1] < losses[0] / 4
    assert (answer.scores.argmax(1) == batch.labels).all()
