from pathlib import Path

import pytest
import torch

from attncli.errors import UsageError
from attncli.workflows.predict.images import OwnImages
from tests.support.settings import tiny


def test_images_are_shown_one_by_one_as_they_are() -> None:
    images = torch.randint(0, 256, (3, 20, 30, 3), dtype=torch.uint8)
    batches = list(OwnImages(tiny("cam"), ("A", "B"), ()).batches(images, cut=True))
    assert [len(batch.rows) for batch in batches] == [1, 1, 1]
    assert torch.equal(batches[2].images[0], images[2].permute(2, 0, 1))


def test_a_picture_is_no_video() -> None:
    with pytest.raises(UsageError, match="is about videos"):
        OwnImages(tiny("cam"), ("A",), ()).passes(Path("a.png"))
