"""Choosing is tested with temporal edits; this is what is written for spatial ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from attncli.config.edit_spatial import SelectSpatialConfig
from attncli.data.clips.reading import read_validation_clip
from attncli.data.samples import VideoSample
from attncli.errors import AttncliError
from attncli.files.masks import FrameMasks, Instance, MaskDirectory, MaskWriter
from attncli.files.runs import load
from attncli.files.spatial_edits import open_spatial_edits
from attncli.reporting import Outcome, Silent
from attncli.workflows.edit.select.selection import select_clips
from attncli.workflows.edit.spatial.select import SpatialEditing
from tests.support.networks import build
from tests.support.runs import make_run

CLASSES = ("Pull", "Push")
FRAMES = {"v0": 6, "v1": 5, "v2": 4, "v3": 4}
SIZE_HW = (300, 320)

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def data(tmp_path: Path, make_video: Callable[..., Path]) -> Path:
    rows = ["id,path,label,split"]
    for number, (name, frames) in enumerate(FRAMES.items()):
        video = make_video(name, frames, size_hw=SIZE_HW)
        rows.append(f"clip/{name},{video},{CLASSES[number % 2]},{('train', 'val')[number // 2]}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "manifest.csv"


@pytest.fixture
def run(tmp_path: Path, data: Path) -> Path:
    return make_run(tmp_path / "run", "st-abn", data, CLASSES, sampling="dense")


def select(run: Path, out: Path, masks: Path | None = None, **options: Any) -> Outcome:
    editing = SpatialEditing(None if masks is None else MaskDirectory(masks))
    settings = SelectSpatialConfig(run=run, masks=masks, weakest_classes=2)
    defaults = {"device": "cpu", "workers": 0, "reporter": Silent()}
    return select_clips(settings, out, editing, **(defaults | options))


def test_a_directory_holds_all_that_painting_needs(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "spatial"
    select(run, out)
    directory = open_spatial_edits(out)
    clips = directory.read_clips()
    assert clips
    for id_, clip in clips.items():
        assert (clip.frames, clip.size_hw) == (FRAMES[id_.removeprefix("clip/")], SIZE_HW)
        with Image.open(directory.frame_path(id_, clip.frames - 1)) as picture:
            assert picture.size == (256, 240)
        attention = directory.read_attention(clip)
        assert attention.maps.shape == (clip.frames, 2, 2)
        assert attention.crop == pytest.approx((10, 0, 310, 300), abs=10)
    assert directory.read_settings().run == run
    assert not directory.has_edits() and not directory.candidates.root.exists()
    names = {path.name for path in out.iterdir()}
    assert names == {"config.toml", "classes.txt", "clips.csv", "frames", "attention"}


def test_attention_is_the_networks_own_over_the_whole_video(run: Path, tmp_path: Path) -> None:
    select(run, tmp_path / "spatial")
    directory = open_spatial_edits(tmp_path / "spatial")
    id_, clip = next(iter(directory.read_clips().items()))
    config = load(run).config
    network = build("st-abn", config, len(CLASSES)).model.eval()
    sample = VideoSample(id_, tmp_path / "videos" / id_.removeprefix("clip/"), 1)
    with torch.inference_mode():
        clip_frames = read_validation_clip(sample, config, np.arange(4))
        first = network(clip_frames).spatial_attention[0].numpy()
    alone = clip.frames - 4  # frames before any other clip of the video begins
    found = directory.read_attention(clip).maps[:alone]
    np.testing.assert_allclose(found, first[:alone], atol=1e-3)


def test_masks_become_candidates_of_every_frame(run: Path, tmp_path: Path) -> None:
    pixels = np.zeros(SIZE_HW, dtype=np.bool_)
    pixels[20:40, 10:90] = True
    found = (Instance.of(pixels, category="hand", score=0.5),)
    for name in ("v0", "v1"):
        with MaskWriter(tmp_path / "masks", f"clip/{name}") as writer:
            for frame in (0, FRAMES[name] - 1):
                writer.write(FrameMasks(frame, SIZE_HW, found))
    select(run, tmp_path / "spatial", tmp_path / "masks")
    directory = open_spatial_edits(tmp_path / "spatial")
    for id_, clip in directory.read_clips().items():
        candidates = list(directory.candidates.frames(id_))
        assert [masks.frame for masks in candidates] == list(range(clip.frames))
        assert all(masks.instances == found for masks in candidates)
    assert directory.read_settings().masks == tmp_path / "masks"


def test_masks_of_another_size_are_refused(run: Path, tmp_path: Path) -> None:
    for name in ("v0", "v1"):
        with MaskWriter(tmp_path / "masks", f"clip/{name}") as writer:
            for frame in range(6):
                writer.write(FrameMasks(frame, (40, 30), ()))
    with pytest.raises(AttncliError, match="masks are 30x40, the video is 320x300"):
        select(run, tmp_path / "spatial", tmp_path / "masks")


def test_edits_are_not_thrown_away(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "spatial"
    select(run, out)
    select(run, out, overwrite=True)
    directory = open_spatial_edits(out)
    directory.write_frames(next(iter(directory.read_clips())), {0: FrameMasks(0, SIZE_HW, ())})
    with pytest.raises(AttncliError, match="holds edits already"):
        select(run, out, overwrite=True)
    assert directory.has_edits()


def test_any_method_with_spatial_attention_will_do_and_no_other(data: Path, tmp_path: Path) -> None:
    plain = make_run(tmp_path / "plain", "resnet3d", data, CLASSES)
    with pytest.raises(AttncliError, match="resnet3d has no spatial attention; name a run of abn"):
        select(plain, tmp_path / "spatial")
    assert not (tmp_path / "spatial").exists()
    select(make_run(tmp_path / "abn", "abn", data, CLASSES), tmp_path / "spatial")
    assert open_spatial_edits(tmp_path / "spatial").read_clips()
