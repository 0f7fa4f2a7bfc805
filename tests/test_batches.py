import pytest
import torch

from attncli.batches import Batch, ClipBatch, ImageBatch
from attncli.errors import Failure

META = torch.device("meta")
FAILURES = (Failure("a", "a.avi", "cut short"),)


def clips() -> ClipBatch:
    return ClipBatch(
        frames=torch.zeros(2, 3, 4, 5, 6, dtype=torch.uint8),
        labels=torch.tensor([1, -1]),
        rows=torch.tensor([7, 3]),
        frame_indices=torch.zeros(2, 4, dtype=torch.int64),
        crops=torch.zeros(2, 4),
        flips=torch.tensor([True, False]),
        guides={"masks": torch.zeros(2, 4, 5, 6, dtype=torch.bool)},
        failures=FAILURES,
    )


def images() -> ImageBatch:
    return ImageBatch(
        images=torch.zeros(2, 3, 5, 6, dtype=torch.uint8),
        labels=torch.zeros(2, 20, dtype=torch.bool),
        rows=torch.tensor([7, 3]),
        label_maps={"truth": torch.zeros(2, 5, 6, dtype=torch.uint8)},
        small_images=torch.zeros(2, 3, 2, 2, dtype=torch.uint8),
        failures=FAILURES,
    )


@pytest.mark.parametrize(
    ("batch", "on_host"),
    [(clips(), {"failures", "remarks"}), (images(), {"failures", "remarks"})],
    ids=["clips", "images"],
)
def test_all_tensors_go_to_the_device_and_nothing_else_changes(batch, on_host):
    assert isinstance(batch, Batch)
    moved = batch.to(META)
    assert type(moved) is type(batch)
    for name, value in vars(moved).items():
        tensors = value.values() if isinstance(value, dict) else [value]
        if name in on_host:
            assert value == getattr(batch, name)
        else:
            assert all(tensor.device == META for tensor in tensors)
    assert batch.rows.tolist() == [7, 3]  # the one it was made of is as it was


def test_tensors_by_name_keep_their_names_and_shapes():
    assert clips().to(META).guides["masks"].shape == (2, 4, 5, 6)
    assert images().to(META).label_maps["truth"].dtype == torch.uint8


def test_a_batch_whose_fields_disagree_on_its_size_is_no_batch():
    with pytest.raises(Exception, match=r"labels|rows|frame_indices"):
        ClipBatch(**(vars(clips()) | {"labels": torch.tensor([1])}))
