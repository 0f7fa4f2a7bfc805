from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from attncli.data.layouts.voc2012 import CLASSES
from attncli.data.source import Guidance, Source
from attncli.errors import AttncliError
from attncli.files.score_maps import read_score_maps, write_score_maps
from attncli.files.seeds import open_seeds
from attncli.methods.ssdd.affinity_seeds import AffinitySeeds, AffinitySource
from tests.support.reporters import Told
from tests.support.seeds import (
    CAT,
    DOG,
    SIZES,
    contents,
    describe_seeds,
    truth_of,
    write_list,
    write_seeds,
    write_voc,
)
from tests.support.settings import tiny


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return write_voc(tmp_path / "VOC2012")


def source_of(voc: Path, cams: Path, run: Path) -> AffinitySource:
    config = tiny("psa", data=voc, cams=cams, crf_iterations=2)
    source = AffinitySource.of_run(config, run)
    assert isinstance(source, Source)
    return source


def guidance_of(source: AffinitySource) -> AffinitySeeds:
    found = source.guidance(source.open("train"))
    assert isinstance(found, Guidance)
    return found


def prepared(voc: Path, cams: Path, run: Path) -> tuple[Mapping[str, bytes], Told]:
    told = Told()
    assert guidance_of(source_of(voc, cams, run)).prepare(run, reporter=told) == []
    return contents(run / "affinity_seeds"), told


def test_maps_are_refined_beside_two_backgrounds(voc: Path, tmp_path: Path) -> None:
    cams = write_seeds(tmp_path / "cams", background=False)
    prepared(voc, cams, tmp_path / "run")
    for name, power in (("low", 4), ("high", 32)):
        made = open_seeds(tmp_path / "run" / "affinity_seeds" / name, classes=CLASSES)
        assert made.parameters == {"background_power": power, "crf_iterations": 2}
        assert made.parents == {"cams": open_seeds(cams).sha256}
        assert read_score_maps(made.path, "a").classes.tolist() == [0, CAT, DOG]
    low, high = (
        read_score_maps(tmp_path / "run" / "affinity_seeds" / name, "a").scores[0].mean()
        for name in ("low", "high")
    )
    assert low > high


def test_an_interruption_and_the_order_of_images_change_no_file(voc: Path, tmp_path: Path) -> None:
    cams = write_seeds(tmp_path / "cams", background=False)
    whole, _ = prepared(voc, cams, tmp_path / "run")
    place = tmp_path / "run" / "affinity_seeds"
    for name in ("low/a.png", "high/a.png", "high/b.c.png", "high/b.c.npz", "high/seeds.toml"):
        (place / name).unlink()
    write_list(voc, list(SIZES)[::-1])
    again, _ = prepared(voc, cams, tmp_path / "run")
    assert again == whole


def test_what_was_made_of_other_maps_is_refused(voc: Path, tmp_path: Path) -> None:
    cams = write_seeds(tmp_path / "cams", background=False)
    prepared(voc, cams, tmp_path / "run")
    (cams / "seeds.toml").write_text((cams / "seeds.toml").read_text() + "# other\n")
    with pytest.raises(AttncliError, match="low: was made from other class activation maps; begin"):
        prepared(voc, cams, tmp_path / "run")


def test_shares_are_told_and_kinds_that_lack_are_warned_of(voc: Path, tmp_path: Path) -> None:
    cams = describe_seeds(tmp_path / "cams", "cam")
    write_list(voc, ["a", "plain"])
    for image_id in ("a", "plain"):
        nothing = np.zeros((0, *SIZES[image_id]), np.float32)
        write_score_maps(cams, image_id, np.zeros(0, np.int64), nothing)
    _, told = prepared(voc, cams, tmp_path / "run")
    (shares,) = [note for note in told.notes if note.startswith("pairs of cells to learn from: ")]
    assert "foreground cells 0.0 %, background cells 100.0 %, ignored cells 0.0 %" in shares
    assert "background pairs 100.0 %" in shares
    assert told.warnings == [
        "the maps hold no foreground cells: nothing is learnt from them",
        "the maps hold no foreground pairs: nothing is learnt from them",
        "the maps hold no different pairs: nothing is learnt from them",
    ]


def test_shares_are_those_of_cells_counted_by_hand(voc: Path, tmp_path: Path) -> None:
    # The two cells of `b.c` at the left are cat for sure, those at the right background.
    cams = describe_seeds(tmp_path / "cams", "cam")
    write_list(voc, ["b.c"])
    scores = np.zeros((1, 16, 16), np.float32)
    scores[0, :, :8] = 1
    write_score_maps(cams, "b.c", np.array([CAT]), scores)
    config = tiny("psa", data=voc, cams=cams, crf_iterations=0)
    told = Told()
    source = AffinitySource.of_run(config, tmp_path / "run")
    source.guidance(source.open("train")).prepare(tmp_path / "run", reporter=told)
    (shares,) = [note for note in told.notes if note.startswith("pairs of cells to learn from: ")]
    assert "foreground cells 50.0 %, background cells 50.0 %" in shares
    # Of neighbours in a 2x2 grid one pair is within each side; four are across.
    assert "foreground pairs 16.7 %, background pairs 16.7 %, different pairs 66.7 %" in shares
    assert told.warnings == []


def test_bad_maps_are_named_once(voc: Path, tmp_path: Path) -> None:
    cams = write_seeds(tmp_path / "cams", background=False)
    (cams / "one.npz").unlink()
    scores = np.full((2, *SIZES["a"]), np.nan, np.float16)
    np.savez(cams / "a.npz", classes=np.array([CAT, DOG]), scores=scores)
    write_score_maps(cams, "b.c", np.array([DOG]), np.zeros((1, 16, 16), np.float32))
    told, guidance = Told(), guidance_of(source_of(voc, cams, tmp_path / "run"))
    assert guidance.facts() == {"mapped_images": len(SIZES) - 1}
    failures = guidance.prepare(tmp_path / "run", reporter=told)
    problems = {failure.id: failure.error for failure in failures}
    assert sorted(problems) == ["a", "b.c", "one"]
    assert "is not finite" in problems["a"]
    assert "b.c.npz: holds dog, which the image does not show" in problems["b.c"]
    assert "holds no seed of this image" in problems["one"]


def test_maps_of_other_images_or_classes_are_refused(voc: Path, tmp_path: Path) -> None:
    cams = describe_seeds(tmp_path / "cams", "cam")
    with pytest.raises(AttncliError, match="holds no seed of any of the 5 images"):
        guidance_of(source_of(voc, cams, tmp_path / "run"))
    describe_seeds(cams, "cam", CLASSES[:-1])
    with pytest.raises(AttncliError, match="class 20 is none here and tvmonitor there"):
        guidance_of(source_of(voc, cams, tmp_path / "run"))


def test_crops_are_read_with_labels_of_cells(voc: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    source = source_of(voc, write_seeds(tmp_path / "cams", background=False), run)
    dataset = source.open("train")
    guidance = source.guidance(dataset)
    guidance.prepare(run, reporter=Told())
    reader = source.reader(dataset, training=True, guidance=guidance)
    batch = reader.collate([reader[row] for row in range(len(SIZES))])
    assert {name: tuple(x.shape) for name, x in batch.label_maps.items()} == {
        name: (len(SIZES), 4, 4) for name in ("low", "high")
    }
    whole = source.reader(source.open("val"), training=False)
    truth = whole.collate([whole[0]]).label_maps["truth"][0].numpy()
    np.testing.assert_array_equal(truth, truth_of("a"))
