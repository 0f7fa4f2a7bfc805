"""What every network of the catalog must be able to do, whatever paper it is of."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from attncli import catalog, papers
from attncli.errors import AttncliError
from attncli.files.checkpoints import load_weights, read_weights, write_weights
from attncli.layers.fusion import fuse_for_inference
from attncli.training.distributed import World
from attncli.training.learner import Learner, autocast
from attncli.training.objective import Learned
from attncli.types import AttentionEdit, BranchNetwork, BranchOutputs
from tests.support.batches import batch_for, clip_batch, image_batch
from tests.support.networks import build, settle_norms
from tests.support.settings import tiny

N_CLASSES = 5
CPU = torch.device("cpu")
EDITED = {name: Path(name) for name in ("init", "temporal_edits", "spatial_edits")}
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "abn": [{"attention_branch": "light", "mechanism": "product"}],
    "resnet3d": [{"depth": "50"}],
    "st-abn": [{"checkpoint_gradients": True, "masks": Path("masks")}, EDITED],
    "convlstm": [{"peephole": "channel", "head": "mean", "color": "rgb"}],
    "convlstm-ram": [{"ram_state": "convlstm", "scores_at": "mean"}],
    "cam": [{"freeze_norms": False, "output_stride": "8"}],
    "psa": [{"compat_reference": True, "freeze_stages": 0, "crop_px": 64}],
    "ssdd": [{"freeze_norms": False, "output_stride": "16", "crop_px": 64}],
}
"""Settings by which a network is another one than the method's own."""
CLASSIFIERS = (papers.CLIPS, papers.FACES, papers.IMAGES)
"""Tasks whose networks score classes of samples."""
SIZES = ("peephole", "head")
"""Settings of networks that see faces of one size alone, unless they have other values."""


@dataclass(frozen=True)
class Case:
    """A method with settings."""

    method: catalog.Method
    config: Any

    def build(self, **changes: Any) -> Learned[Any]:
        """Return the network in training mode, no two of its normalisations alike."""
        own = {name: value for name, value in changes.items() if hasattr(self.config, name)}
        config = replace(self.config, **own)
        learned = build(self.method.name, config, N_CLASSES)
        settle_norms(learned.model, self.inputs())
        return learned

    def network(self, **changes: Any) -> Any:
        """Return the network in evaluation mode."""
        return self.build(**changes).model.eval()

    def batch(self, n: int = 4) -> Any:
        """Return samples as it is trained on."""
        return batch_for(self.method.name, self.config, N_CLASSES, n=n)

    def inputs(self, *, longer: int = 0, larger_px: int = 0) -> Tensor:
        """Return two samples, of more frames or pixels than it is trained on."""
        if not hasattr(self.config, "clip_shape"):
            height, width = (side + larger_px for side in self.config.crop_hw)
            return image_batch(size_hw=(height, width + 32)).images
        t, height, width = self.config.clip_shape
        return clip_batch(shape=(t + longer, height + larger_px, width + larger_px)).frames


def cases() -> list[Any]:
    """Return every network, and its variants."""
    made = []
    for method in catalog.NETWORKS:
        for changes in ({}, *VARIANTS.get(method.name, ())):
            name = "-".join([method.name, *(f"{k}={v}" for k, v in changes.items())])
            made.append(pytest.param(Case(method, tiny(method.name, **changes)), id=name))
    return made


every_network = pytest.mark.parametrize("case", cases())
every_clip_network = pytest.mark.parametrize(
    "case", [made for made in cases() if hasattr(made.values[0].config, "clip_shape")]
)
every_classifier = pytest.mark.parametrize(
    "case", [made for made in cases() if made.values[0].method.task in CLASSIFIERS]
)
every_attention = pytest.mark.parametrize(
    "case", [made for made in cases() if made.values[0].method.attention]
)


def answers(outputs: Any) -> dict[str, Tensor]:
    """Return what a network answered, by name."""
    if isinstance(outputs, BranchOutputs):
        return {name: value for name, value in vars(outputs).items() if value is not None}
    return {"scores": getattr(outputs, "scores", outputs)}


def assert_same(one: Any, other: Any, **tolerances: float) -> None:
    found, expected = answers(one), answers(other)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, **tolerances, msg=lambda m, n=name: n + m)


def assert_in_shape(case: Case, outputs: Any, inputs: Tensor) -> None:
    """Make sure that there is an answer of each kind that the method has, and of no other."""
    found, attention = answers(outputs), case.method.attention
    expected = {"scores"} | ({"attention_scores"} if attention else set())
    assert found.keys() == expected | {f"{kind}_attention" for kind in attention}
    for name in found.keys() & {"scores", "attention_scores"}:
        assert found[name].shape == (len(inputs), *shape_of_scores(case, inputs))
    for kind in attention:
        values = found[f"{kind}_attention"]
        assert values.shape[:2] == (len(inputs), inputs.shape[2])
        assert values.ndim == {"spatial": 4, "temporal": 2}[kind]
        assert 0 <= values.min() < values.max() <= 1


def shape_of_scores(case: Case, inputs: Tensor) -> tuple[int, ...]:
    """Return the shape of what a network says of one sample."""
    if hasattr(case.config, "stripes"):
        return case.config.stripes, N_CLASSES
    height, width = inputs.shape[-2:]
    if case.method.task is papers.LABEL_MAPS:
        return N_CLASSES + 1, -(-height // 4), -(-width // 4)
    if case.method.task is papers.AFFINITIES:
        return 448, -(-height // 8), -(-width // 8)
    return (N_CLASSES,)


def wanting(model: nn.Module) -> set[str]:
    """Return the names of the weights that are trained."""
    return {name for name, weight in model.named_parameters() if weight.requires_grad}


def moved(model: nn.Module) -> set[str]:
    """Return the names of the weights that a gradient has come to."""
    return {name for name, weight in model.named_parameters() if weight.grad is not None}


@every_network
def test_each_kind_of_answer_has_its_shape_and_range(case: Case) -> None:
    model, inputs = case.network(), case.inputs()
    with torch.inference_mode():
        assert_in_shape(case, model(inputs), inputs)


@every_network
def test_gradients_reach_every_weight_that_is_trained_and_no_other(case: Case) -> None:
    learned, batch = case.build(dropout=0.0), case.batch()
    learned.objective(learned.model, batch).total.backward()
    assert moved(learned.model) == wanting(learned.model)
    for name, weight in learned.model.named_parameters():
        assert weight.grad is None or (weight.grad.isfinite().all() and weight.grad.any()), name


@every_network
def test_a_step_leaves_frozen_layers_as_they_are(case: Case) -> None:
    learned, batch = case.build(), case.batch()
    frozen = [
        layer
        for layer in learned.model.modules()
        if any(True for _ in layer.parameters())
        and not any(weight.requires_grad for weight in layer.parameters())
    ]
    before = [{key: value.clone() for key, value in layer.state_dict().items()} for layer in frozen]
    Learner(learned, case.config, World(0, 1, CPU)).step([batch], [len(batch.rows)], lr=0.1)
    for layer, state in zip(frozen, before, strict=True):
        assert all(torch.equal(value, state[key]) for key, value in layer.state_dict().items())


@every_network
def test_a_fused_network_answers_the_same(case: Case) -> None:
    model, inputs = case.network(), case.inputs()
    fused = fuse_for_inference(model)
    with torch.inference_mode():
        assert_same(fused(inputs), model(inputs), rtol=1e-3, atol=1e-4)


@every_clip_network
def test_clips_of_another_length_are_answered_where_no_layer_counts_frames(case: Case) -> None:
    model, frames = case.network(), case.inputs(longer=3)
    if "temporal" in case.method.attention:
        with pytest.raises(AttncliError, match=r"clips have 7 frames, .* for 4; use --frames 4"):
            model(frames)
        return
    with torch.inference_mode():
        assert_in_shape(case, model(frames), frames)


@every_network
def test_samples_of_another_size_are_answered_where_nothing_fixes_it(case: Case) -> None:
    model, inputs = case.network(), case.inputs(larger_px=16)
    fixed = (getattr(case.config, name, None) for name in SIZES)
    if not {"hadamard", "flatten"}.isdisjoint(fixed):
        with pytest.raises(AttncliError, match=r"--peephole|--head mean"):
            model(inputs)
        return
    with torch.inference_mode():
        assert_in_shape(case, model(inputs), inputs)


@every_network
def test_its_weights_are_read_into_a_network_that_fetches_none(case: Case, tmp_path: Path) -> None:
    model, path = case.network(), tmp_path / "model.safetensors"
    write_weights(path, model, {})
    published = getattr(type(case.config), "weights", None)
    config = case.config if published is None else replace(case.config, weights=published)
    blank = build(case.method.name, config.without_published_weights(), N_CLASSES, seed=1).model
    load_weights(blank, read_weights(path), where=path)
    assert blank.state_dict().keys() == model.state_dict().keys()
    for name, value in blank.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
    with torch.inference_mode():
        assert_same(blank.eval()(case.inputs()), model(case.inputs()), rtol=0, atol=0)


@every_network
def test_losses_in_16_bits_are_near_those_in_32_and_have_finite_gradients(case: Case) -> None:
    full, *halves = (losses_at(case, precision) for precision in ("fp32", "bf16", "fp16"))
    for half in halves:
        assert half == pytest.approx(full, rel=0.05, abs=0.02)


def losses_at(case: Case, precision: Any) -> dict[str, float]:
    """Return what a step minimises, its forward pass as in a training."""
    learned = case.build(dropout=0.0)

    def answer(*inputs: Any) -> Any:
        with autocast(CPU, precision):
            return learned.model(*inputs)

    losses = learned.objective(answer, case.batch())
    losses.total.backward()
    assert losses.total.dtype == torch.float32
    for name, weight in learned.model.named_parameters():
        assert weight.grad is None or weight.grad.isfinite().all(), name
    return {"total": losses.total.item(), **{k: v.item() for k, v in losses.terms.items()}}


@every_classifier
def test_hits_are_the_samples_that_scores_are_right_on(case: Case) -> None:
    learned, batch = case.build(), case.batch(n=6)
    model = learned.model.eval()
    with torch.inference_mode():
        scores = answers(model(next(iter(vars(batch).values()))))["scores"].tolist()
        labels = [labels_of(case, row, right=number % 3 > 0) for number, row in enumerate(scores)]
        hits = learned.objective(model, replace(batch, labels=torch.tensor(labels))).hits
    assert {name: count.item() for name, count in hits.items()} == {hit_of(case): 4}


def hit_of(case: Case) -> str:
    """Return what a sample that is told rightly is logged as."""
    return "exact" if case.method.task is papers.IMAGES else "top1"


def labels_of(case: Case, scores: list[float], *, right: bool) -> Any:
    """Return the labels with which a sample's scores are right, or wrong in one class."""
    if case.method.task is papers.IMAGES:
        said = [score >= 0 for score in scores]
        return said if right else [not said[0], *said[1:]]
    best = max(range(N_CLASSES), key=lambda label: scores[label])
    return best if right else (best + 1) % N_CLASSES


@every_network
def test_a_process_without_samples_adds_nothing_to_the_step_of_another(case: Case) -> None:
    learned = case.build()
    learner = Learner(learned, case.config, World(0, 1, CPU))
    # Gradients of all processes are summed in one message, so each has those of all weights.
    sums = learner.step([case.batch(n=0)], [3], lr=0.1).read()
    assert sums.keys() >= {"loss", "samples"}
    assert set(sums.values()) == {0.0}
    assert moved(learned.model) == wanting(learned.model)
    assert not any(w.grad.any() for w in learned.model.parameters() if w.grad is not None)


@every_attention
def test_features_are_had_once_and_answered_many_times(case: Case) -> None:
    model, frames = case.network(), case.inputs()
    assert isinstance(model, BranchNetwork)
    with torch.inference_mode():
        assert_same(model.answer(model.extract(frames)), model(frames), rtol=0, atol=0)


@every_attention
def test_inverted_spatial_attention_acts_and_nothing_else_is_inverted(case: Case) -> None:
    model, frames = case.network(), case.inputs()
    with torch.inference_mode():
        own = answers(model(frames))
        inverted = answers(model(frames, AttentionEdit(invert_spatial=True)))
    torch.testing.assert_close(inverted.pop("spatial_attention"), 1 - own["spatial_attention"])
    assert not torch.allclose(inverted.pop("scores"), own["scores"])
    assert all(torch.equal(value, own[name]) for name, value in inverted.items())


@every_attention
def test_temporal_attention_is_replaced_where_there_is_any(case: Case) -> None:
    model, frames = case.network(), case.inputs()
    given = torch.tensor([[0.0, 0.5, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
    if "temporal" not in case.method.attention:
        with pytest.raises(AttncliError, match="no temporal attention to replace"):
            model(frames, AttentionEdit(temporal=given))
        return
    with torch.inference_mode():
        own, edited = model(frames), model(frames, AttentionEdit(temporal=given))
    assert torch.equal(edited.temporal_attention, given)
    assert torch.equal(edited.spatial_attention, own.spatial_attention)
    assert not torch.allclose(edited.scores, own.scores)
