import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attncli.config.st_abn import StAbnConfig
from attncli.data.clips.reading import read_validation_clip
from attncli.data.samples import VideoSample
from attncli.errors import AttncliError
from attncli.files.checkpoints import write_weights
from attncli.files.edit_directory import EditDirectory
from attncli.files.runs import load
from attncli.types import AttentionEdit, BranchNetwork
from attncli.workflows.edit.temporal import live_answers
from attncli.workflows.edit.temporal.live_answers import RunAnswerer, open_answerer
from tests.support.networks import build
from tests.support.runs import begin_run
from tests.support.settings import tiny

CLASSES = ("Push", "Pull", "Lift")


@pytest.fixture
def config(tmp_path: Path, make_video: Callable[..., Path]) -> StAbnConfig:
    """Settings of a tiny network, and a dataset of two videos: a of 8 frames, b of 3."""
    lines = ["id,path,label,split"]
    for number, (name, frames) in enumerate((("a", 8), ("b", 3))):
        make_video(name, frames, size_hw=(34, 48), step=9)
        lines.append(f"{name},videos/{name},{CLASSES[number]},train")
    lines.append("c,videos/c,Lift,val")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    return tiny("st-abn", data=tmp_path / "manifest.csv")


@pytest.fixture
def edits(
    tmp_path: Path, config: StAbnConfig, make_edits: Callable[..., EditDirectory]
) -> EditDirectory:
    run = begin_run(tmp_path / "run", "st-abn", config.data, CLASSES)
    write_weights(run / "model.safetensors", network(config), {})
    return make_edits(a=8, b=3)


def network(config: StAbnConfig) -> Any:
    model = build("st-abn", config, len(CLASSES)).model
    for parameter in model.parameters():  # else the answer hardly depends on the attention
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


def answerer(edits: EditDirectory) -> RunAnswerer:
    run = load(edits.path.with_name("run"))
    return open_answerer(run, edits.read_clips(), split="train", device="cpu")


def unset(n: int) -> np.ndarray:
    return np.full(n, np.nan, dtype=np.float32)


def test_without_scores_the_answer_is_the_networks_own(edits: EditDirectory) -> None:
    answer = answerer(edits).answer("a", unset(8))
    assert answer.classes == CLASSES
    np.testing.assert_allclose(answer.own.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(answer.edited, answer.own, atol=1e-6)
    assert answer.frames == (1, 3, 5, 7)  # the middle of each of four parts of eight frames


def test_scores_stand_in_the_place_of_the_attention_of_the_very_frames_seen(
    edits: EditDirectory, config: StAbnConfig, tmp_path: Path
) -> None:
    scores = np.array([0, 1, 0, np.nan, 0, 0.5, 0, 0], dtype=np.float32)
    answer = answerer(edits).answer("a", scores)
    model = network(config)
    assert isinstance(model, BranchNetwork)
    sample = VideoSample("a", tmp_path / "videos" / "a", 0)
    frames = read_validation_clip(sample, config, np.array([1, 3, 5, 7]))
    with torch.inference_mode():
        features = model.extract(frames)
        own = model.answer(features)
        given = torch.tensor([[1, float(own.temporal_attention[0, 1]), 0.5, 0]])
        edited = model.answer(features, AttentionEdit(temporal=given))
    np.testing.assert_allclose(answer.own, own.scores.softmax(1)[0], atol=1e-5)
    np.testing.assert_allclose(answer.edited, edited.scores.softmax(1)[0], atol=1e-5)
    assert np.abs(answer.edited - answer.own).max() > 1e-4


def test_frames_the_network_does_not_see_change_nothing(edits: EditDirectory) -> None:
    asked = answerer(edits)
    scores = unset(8)
    before = asked.answer("a", scores).edited
    scores[[0, 2, 4, 6]] = 1
    np.testing.assert_array_equal(asked.answer("a", scores).edited, before)


def test_a_video_shorter_than_the_clip_is_answered_too(edits: EditDirectory) -> None:
    answer = answerer(edits).answer("b", np.array([0, 0.5, 1], dtype=np.float32))
    assert answer.frames == (0, 1, 2)


def test_features_are_had_once_and_only_for_a_few_clips(
    edits: EditDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def note(sample: VideoSample, *rest: Any) -> torch.Tensor:
        read.append(sample.id)
        return read_validation_clip(sample, *rest)

    monkeypatch.setattr(live_answers, "read_validation_clip", note)
    monkeypatch.setattr(live_answers, "CLIPS_KEPT", 1)
    asked = answerer(edits)
    for clip, n in (("a", 8), ("a", 8), ("b", 3), ("b", 3), ("a", 8)):
        asked.answer(clip, unset(n))
    assert read == ["a", "b", "a"]


def test_a_video_that_is_gone_or_shorter_is_named(edits: EditDirectory, tmp_path: Path) -> None:
    asked = answerer(edits)
    for file in sorted((tmp_path / "videos" / "a").iterdir())[5:]:
        file.unlink()
    with pytest.raises(AttncliError, match="fewer than the 8 frames"):
        asked.answer("a", unset(8))
    shutil.rmtree(tmp_path / "videos" / "b")
    with pytest.raises(AttncliError, match="videos/b"):
        asked.answer("b", unset(3))


def test_a_clip_that_left_the_dataset_is_named(edits: EditDirectory, config: StAbnConfig) -> None:
    config.data.write_text("id,path,label,split\na,videos/a,Push,train\nc,videos/c,Lift,val\n")
    with pytest.raises(AttncliError, match="b: no such video in the run's dataset"):
        answerer(edits).answer("b", unset(3))


def test_a_run_without_weights_or_temporal_attention_cannot_answer(
    edits: EditDirectory, config: StAbnConfig, tmp_path: Path
) -> None:
    (tmp_path / "run" / "model.safetensors").unlink()
    with pytest.raises(AttncliError, match="no such weights"):
        answerer(edits)
    shutil.rmtree(tmp_path / "run")
    begin_run(tmp_path / "run", "resnet3d", config.data, CLASSES)
    with pytest.raises(AttncliError, match="resnet3d has no temporal attention"):
        answerer(edits)
