from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attncli.config.svd_fc import SvdFcCall
from attncli.workflows.svd_fc import scales
from attncli.workflows.svd_fc.images import Images, open_rows
from attncli.workflows.svd_fc.scales import chosen_rows


@pytest.fixture
def images(data: Path) -> Images:
    return open_rows(SvdFcCall(data=data))


def ids(images: Images) -> set[str]:
    return {images.rows.ids[row] for row in chosen_rows(images)}


def test_training_images_are_measured(images: Images) -> None:
    assert {images.rows.splits[row] for row in chosen_rows(images)} == {"train"}
    rows = replace(images.rows, splits=["val"] * 10)
    assert len(chosen_rows(replace(images, rows=rows))) == 10


def test_the_choice_does_not_depend_on_the_order(images: Images, monkeypatch: Any) -> None:
    monkeypatch.setattr(scales, "MEASURED", 4)
    rows = images.kept(range(9, -1, -1))
    assert len(ids(images)) == 4
    assert ids(replace(images, rows=rows)) == ids(images)
