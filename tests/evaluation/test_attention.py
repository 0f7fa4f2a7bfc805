from pathlib import Path

import numpy as np
import pytest
import torch

from attncli.batches import ClipBatch
from attncli.data.samples import VideoSample
from attncli.evaluation.asked import Asked
from attncli.evaluation.attention import keep_attention, sharpness
from attncli.files.attention import AttentionWriter, open_attention
from attncli.types import BranchOutputs

ASKED = Asked(
    samples=[VideoSample("a", Path("a.avi"), 1), VideoSample("b", Path("b.avi"), -1)],
    classes=("cat", "dog"),
)
BATCH = ClipBatch(
    frames=torch.zeros(2, 3, 2, 4, 4, dtype=torch.uint8),
    labels=torch.tensor([-1, 1]),
    rows=torch.tensor([1, 0]),
    frame_indices=torch.tensor([[0, 4], [3, 7]]),
    crops=torch.tensor([[0.0, 0.0, 4.0, 4.0], [1.23456, 2.0, 3.0, 4.0]]),
    flips=torch.tensor([False, True]),
)
SCORES = torch.tensor([[0.0, 1.0], [2.0, 2.0]])


@pytest.fixture
def keep(tmp_path):
    """Write the attention of the batch, and return the directory."""

    def write(**attention):
        with AttentionWriter(tmp_path / "attention") as writer:
            keep_attention(writer, ASKED, BATCH, BranchOutputs(SCORES, **attention))
        return tmp_path / "attention"

    return write


def test_a_clip_is_kept_with_what_it_shows_and_what_was_answered(keep):
    spatial = torch.linspace(0, 1, 16).reshape(2, 2, 2, 2)
    found = open_attention(keep(spatial_attention=spatial))
    clips = found.clips
    assert clips["id"].tolist() == ["b", "a"]
    assert clips["label"].tolist() == ["", "dog"]
    assert clips["predicted"].tolist() == ["dog", "cat"]  # of equal scores the first
    np.testing.assert_array_equal(found.spatial, spatial)
    assert found.temporal is None


def test_edges_of_crops_are_rounded_to_thousandths_of_a_pixel(keep):
    text = (
        keep(temporal_attention=torch.tensor([[0.0, 1.0], [0.5, 0.5]])) / "clips.csv"
    ).read_text()
    assert "1.235" in text
    assert "1.2346" not in text


def test_half_precision_is_kept_in_32_bits(keep):
    temporal = torch.tensor([[0.0, 1.0], [0.5, 0.25]], dtype=torch.bfloat16)
    found = open_attention(keep(temporal_attention=temporal))
    assert found.temporal.dtype == np.float32
    np.testing.assert_array_equal(found.temporal, temporal.float())


def test_sharpness_is_the_mean_entropy_of_the_maps_and_needs_maps(keep, tmp_path):
    assert sharpness(tmp_path / "nowhere") == {}
    # Of a clip's two maps, one has two values, of half its cells each: 1 bit. One has two values,
    # of a quarter and three quarters: 2 - 0.75 log2 3 bits.
    maps = torch.tensor([[[0.0, 0.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]]])
    directory = keep(spatial_attention=torch.stack([maps, maps]))
    assert sharpness(directory) == {"entropy": pytest.approx((1 + 2 - 0.75 * np.log2(3)) / 2)}


def test_temporal_attention_alone_has_no_sharpness(keep):
    assert sharpness(keep(temporal_attention=torch.ones(2, 2))) == {}
