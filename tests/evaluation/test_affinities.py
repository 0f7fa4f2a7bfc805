from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from attncli.batches import ImageBatch
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure
from attncli.evaluation.affinities import Affinities, cell_labels, pairs_right_percent
from attncli.evaluation.asked import Asked
from tests.support.batches import image_batch

CLASSES = ("cat", "dog")


class Beside:
    """Holds cells against the next ones in their row; answers the mean red of the first, of 200."""

    def affinities(self, images: Tensor) -> Tensor:
        means = images[:, 0].float().unflatten(1, (-1, 8)).unflatten(3, (-1, 8)).mean((2, 4))
        return means[:, :, :-1].flatten(1) / 200

    def pair_kinds(self, labels: Tensor) -> Mapping[str, Tensor]:
        first, second = labels[:, :, :-1].flatten(1), labels[:, :, 1:].flatten(1)
        known = (first != 255) & (second != 255)
        return {
            "background": (first == second) & (first == 0),
            "foreground": (first == second) & known & (first != 0),
            "different": (first != second) & known,
        }


def asked(*has_label_map: bool, weights: Path | None = None) -> Asked:
    samples = [
        ImageSample(f"{i}", Path(f"{i}.jpg"), None, Path("m.png") if has else None)
        for i, has in enumerate(has_label_map)
    ]
    return Asked(samples, CLASSES, weights=weights)


def row_of_cells(reds: list[int], labels: list[int], row: int = 0) -> ImageBatch:
    """Return an image of one row of cells, with a label of each."""
    images = torch.zeros(1, 3, 8, 8 * len(reds), dtype=torch.uint8)
    images[0, 0] = torch.tensor(reds, dtype=torch.uint8).repeat_interleave(8)
    truth = torch.tensor(labels, dtype=torch.uint8).repeat_interleave(8).expand(1, 8, -1)
    batch = image_batch(images=images, truth=truth.contiguous())
    batch.rows[:] = row
    return batch


def unlabelled(row: int) -> ImageBatch:
    batch = image_batch(1)
    batch.rows[:] = row
    return batch


def put(evaluation: Affinities, *batches: ImageBatch) -> Affinities:
    with evaluation:
        for batch in batches:
            evaluation.add(batch, evaluation.ask(Beside(), batch))
    return evaluation


def test_pairs_count_by_kind_and_unlabelled_images_do_not(tmp_path: Path) -> None:
    # Pairs: background .8 and .4 (right, wrong), different .9 and .1, foreground .6, none.
    one = row_of_cells([160, 80, 180, 120, 20, 0, 0], [0, 0, 0, 1, 1, 2, 255])
    evaluation = put(Affinities(asked(True, False)), one, unlabelled(1))
    expected = 100 * ((1 + 1 / 2) / 2 + 1 / 2) / 2
    assert evaluation.figures([evaluation.share()]) == {"pairs_right": pytest.approx(expected)}
    row = evaluation.write([evaluation.share()], [Failure("x", "x", "gone")], tmp_path)
    assert (row["images"], row["failed"], row["unlabelled"]) == (2, 1, 1)
    assert row["pairs_right"] == pytest.approx(expected)
    assert row["affinity_background"] == pytest.approx(0.6)
    assert row["affinity_different"] == pytest.approx(0.5)
    assert row["affinity_foreground"] == pytest.approx(0.6)
    lines = (tmp_path / "pairs.csv").read_text().splitlines()
    assert lines[0] == "kind,pairs,mean_affinity,right"
    assert [line.split(",")[:2] for line in lines[1:]] == [
        ["foreground", "1"],
        ["background", "2"],
        ["different", "2"],
    ]


def test_processes_share_pairs(tmp_path: Path) -> None:
    one, two = row_of_cells([150, 150, 0], [0, 0, 1]), row_of_cells([10, 150], [1, 2], 1)
    together = put(Affinities(asked(True, True)), one, two)
    apart = [put(Affinities(asked(True, True)), batch).share() for batch in (one, two)]
    assert together.figures([together.share()]) == together.figures(apart)
    assert together.write(apart, [], tmp_path)["images"] == 2


def test_there_is_no_figure_without_label_maps_or_with_pairs_of_one_sort(tmp_path: Path) -> None:
    for batch in (unlabelled(0), row_of_cells([150, 150], [0, 0])):
        evaluation = put(Affinities(asked(False)), batch)
        assert evaluation.figures([evaluation.share()]) == {}
    row = evaluation.write([evaluation.share()], [], tmp_path)
    assert row["pairs_right"] is None
    assert row["affinity_different"] is None
    assert (tmp_path / "pairs.csv").read_text().splitlines()[3] == "different,0,,"


def test_a_network_that_calls_all_pairs_alike_has_half_of_the_figure() -> None:
    table = np.array([[10.0, 10, 10], [1000, 1000, 1000], [30, 30, 0]])
    assert pairs_right_percent(table) == 50
    table[0] = 0
    assert pairs_right_percent(table) == 50


def test_a_cell_has_the_label_of_most_of_its_pixels() -> None:
    truth = torch.zeros(1, 10, 17, dtype=torch.uint8)
    truth[0, :5, :8] = 2  # 40 of 64
    truth[0, :8, 8:16] = 255
    truth[0, :3, 8:16] = 1  # 24 of 64
    truth[0, 8:, 16] = 1  # all of a cell of 2 pixels
    assert cell_labels(truth).tolist() == [[[2, 255, 0], [0, 0, 1]]]


def test_affinities_that_are_not_finite_are_refused_of_weights_to_be_judged() -> None:
    evaluation = Affinities(asked(True, weights=Path("w.safetensors")))
    with pytest.raises(AttncliError, match="not finite"):
        evaluation.add(row_of_cells([0, 0], [0, 0]), torch.full((3, 3), torch.nan).double())
