"""Directories for spatial edits small enough to be made for every test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from attncli.config.edit_spatial import SelectSpatialConfig
from attncli.config.toml import dump
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory, VideoAttention

SIZE_HW = (6, 8)


@pytest.fixture
def edits(tmp_path: Path) -> SpatialEditDirectory:
    """Three clips of four frames, of 8x6 pixels, none of them edited."""
    directory = SpatialEditDirectory(tmp_path / "spatial")
    directory.path.mkdir()
    directory.config_path.write_text(dump(SelectSpatialConfig(run=tmp_path / "run")))
    directory.write_clips(SpatialClip(i, "Push", "Pull", 4, 12.0, 8, 6) for i in ("a", "b", "c"))
    for id_ in ("a", "b", "c"):
        maps = np.full((4, 2, 2), 0.5, dtype=np.float16)
        directory.write_attention(id_, VideoAttention(maps, (1.0, 0.0, 7.0, 6.0)))
    return directory


@pytest.fixture
def instance() -> Callable[..., Instance]:
    """Makes an instance that covers the first columns of a frame."""

    def make(columns: int, category: str = "person") -> Instance:
        mask = np.zeros(SIZE_HW, dtype=np.bool_)
        mask[:, :columns] = True
        return Instance.of(mask, category=category, score=0.75)

    return make


@pytest.fixture
def write_masks(tmp_path: Path) -> Callable[..., Path]:
    """Writes the instances of some frames of a video into a mask directory."""

    def write(
        video_id: str,
        frames: dict[int, tuple[Instance, ...]],
        size_hw: tuple[int, int] = SIZE_HW,
    ) -> Path:
        with MaskWriter(tmp_path / "masks", video_id) as writer:
            for frame, instances in frames.items():
                writer.write(FrameMasks(frame, size_hw, instances))
        return tmp_path / "masks"

    return write
