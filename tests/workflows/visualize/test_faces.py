import csv
import json

import numpy as np
import pytest
from PIL import Image

from attncli.config.visualize import VisualizeConfig
from attncli.data.samples import VideoSample
from attncli.errors import AttncliError, UsageError
from attncli.files.attention import ClipRecord
from attncli.metrics.entropy import map_entropy
from attncli.reporting import Silent
from attncli.workflows.visualize import faces
from attncli.workflows.visualize.views import read_still
from tests.support.runs import begin_run, write_attention

CLASSES = ("surprise", "anger")  # an order of their own
SEQUENCES = {  # frames of each
    "S005/001": ("anger", 6),
    "S005/002": ("surprise", 3),
    "S010/001": ("anger", 8),
    "S010/002": ("surprise", 8),
    "S011/001": ("anger", 9),
}
CROP = (4.0, 0.0, 28.0, 24.0)


def grey(number, frame):
    """Return the brightness of a frame of a sequence."""
    return 20 * number + 2 * frame


@pytest.fixture
def data(tmp_path):
    """Sequences of pictures 32 pixels wide and 24 high, each of one grey."""
    root = tmp_path / "faces"
    lines = ["path,id,label,split"]
    for number, (id_, (label, n)) in enumerate(SEQUENCES.items()):
        folder = root / id_
        folder.mkdir(parents=True)
        for frame in range(n):
            picture = Image.fromarray(np.full((24, 32), grey(number, frame), np.uint8))
            picture.save(folder / f"{frame:06}.png")
        lines.append(f"{id_},{id_},{label},val")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


def clips_of(n, *, length=4, step=2):
    """Return the frames of the clips of a sequence, counted back from its end."""
    ends = range(n, length - 1, -step) or [n]
    return [tuple(max(0, f) for f in range(end - length, end)) for end in reversed(ends)]


@pytest.fixture
def evaluated(tmp_path, data):
    """Return what writes a run of RAM; the map of clip c at step t is c / 100 + t / 10."""

    def make(
        name="ec_ram",
        *,
        ids=tuple(SEQUENCES),
        predicted="anger",
        crop=CROP,
        labelled=True,
        maps=None,
        late=0,
    ):
        run = begin_run(tmp_path / "runs" / name, "convlstm-ram", data, CLASSES)
        clips = [(id_, frames) for id_ in ids for frames in clips_of(SEQUENCES[id_][1] - late)]
        records = [
            ClipRecord(
                row, id_, SEQUENCES[id_][0] if labelled else "", predicted, frames, crop, False
            )
            for row, (id_, frames) in enumerate(clips)
        ]
        if maps is None:
            rows = np.arange(len(clips))[:, None, None, None] / 100
            shown = rows + np.arange(4)[:, None, None] / 10 + np.zeros((3, 3))
        else:
            shown = np.stack([maps[row] for row in range(len(clips))])
        write_attention(run, records, spatial=shown.astype(np.float32))
        return run

    return make


@pytest.fixture
def drawn(monkeypatch):
    """Return what was given to be drawn: columns, names and looks."""
    calls = {}
    draw = faces.draw_face_grid

    def record(columns, names, **looks):
        calls.update(columns=columns, names=names, **looks)
        return draw(columns, names, **looks)

    monkeypatch.setattr(faces, "draw_face_grid", record)
    return calls


@pytest.fixture
def apex(tmp_path):
    """Return what draws runs at the apex."""

    def draw(runs, name="fig4.png", *, overwrite=False, dry_run=False, **looks):
        config = VisualizeConfig(out=tmp_path / "out" / name, dpi=60, apex=True, **looks)
        return faces.draw(config, runs, overwrite=overwrite, dry_run=dry_run, reporter=Silent())

    return draw


@pytest.fixture
def means(tmp_path):
    """Return what draws the means of classes."""

    def draw(runs, name="means.png", *, overwrite=False, dry_run=False, **looks):
        config = VisualizeConfig(out=tmp_path / "out" / name, dpi=60, **looks)
        return faces.draw_class_means(
            config, runs, overwrite=overwrite, dry_run=dry_run, reporter=Silent()
        )

    return draw


def written(tmp_path):
    return sorted(path.name for path in (tmp_path / "out").glob("*"))


def test_a_figure_has_a_sequence_a_class_in_the_order_of_the_classes(
    evaluated, apex, drawn, tmp_path
):
    runs = [evaluated("c_ram", predicted="surprise"), evaluated("ec_ram")]
    outcome = apex(runs)
    assert written(tmp_path) == ["fig4.csv", "fig4.png"]
    assert [(row["label"], row["run"]) for row in outcome.rows] == [
        (label, str(run)) for label in CLASSES for run in runs
    ]
    assert [column.title for column in drawn["columns"]] == list(CLASSES)
    assert [column.caption for column in drawn["columns"]] == [r["id"] for r in outcome.rows[::2]]
    marks = [[(m.caption, m.correct) for m in column.maps] for column in drawn["columns"]]
    assert marks[0] == [("surprise", True), ("anger", False)]
    assert marks[1] == [("surprise", False), ("anger", True)]
    with (tmp_path / "out" / "fig4.csv").open() as table:
        assert [row["id"] for row in csv.DictReader(table)] == [r["id"] for r in outcome.rows]


def test_the_apex_is_the_last_frame_of_the_clip_that_ends_last(evaluated, apex, drawn):
    (row,) = apex([evaluated()], ids=("S010/001",)).rows
    (column,) = drawn["columns"]
    # Clips of S005/001 are rows 0 and 1, that of S005/002 row 2: those of S010/001 are 3, 4 and 5.
    assert column.maps[0].attention == pytest.approx(np.full((3, 3), 0.05 + 0.3))
    assert row["frame"] == 7
    assert row["mean"] == pytest.approx(0.35)
    assert (column.face == grey(2, 7)).all()


def test_a_clip_filled_up_before_its_first_frame_has_its_apex_at_its_end(evaluated, apex, drawn):
    (row,) = apex([evaluated()], ids=("S005/002",)).rows
    assert row["frame"] == 2
    assert drawn["columns"][0].maps[0].attention == pytest.approx(np.full((3, 3), 0.02 + 0.3))
    assert (drawn["columns"][0].face == grey(1, 2)).all()


def test_entropies_are_those_of_the_map_that_is_drawn(evaluated, apex):
    maps = np.random.default_rng(0).random((20, 4, 5, 5), dtype=np.float32)
    (row,) = apex([evaluated(maps=maps)], ids=("S005/001",)).rows
    assert row["entropy"] == pytest.approx(float(map_entropy(maps[1:2, 3:]).clip_bits[0]))


def test_the_choice_depends_on_the_seed_and_on_no_other_class(evaluated, apex):
    run = evaluated()

    def chosen(number, **wish):
        rows = apex([run], dry_run=True, **wish, seed=number).rows
        return {row["label"]: row["id"] for row in rows}

    choices = [chosen(seed) for seed in range(12)]
    assert {choice["anger"] for choice in choices} == {"S005/001", "S010/001", "S011/001"}
    for seed in range(4):
        assert chosen(seed) == choices[seed]
        assert chosen(seed, classes=("anger",)) == {"anger": choices[seed]["anger"]}


def test_only_sequences_that_all_runs_have_are_drawn(evaluated, apex):
    runs = [evaluated("a", ids=("S005/001", "S005/002")), evaluated("b")]
    for seed in range(5):
        rows = apex(runs, seed=seed, dry_run=True).rows
        assert {row["id"] for row in rows} == {"S005/001", "S005/002"}


def test_sequences_asked_for_are_drawn_in_that_order(evaluated, apex, drawn):
    apex([evaluated()], ids=("S011/001", "S005/001", "S011/001"))
    assert [column.caption for column in drawn["columns"]] == ["S011/001", "S005/001"]


def test_a_sequence_that_no_run_has_is_refused(evaluated, apex):
    with pytest.raises(UsageError, match=r"--id: no such name: 'S005/003' .*there is S005/00"):
        apex([evaluated()], ids=("S005/003",))


def test_runs_whose_clips_end_before_the_last_frame_have_no_common_apex(evaluated, apex):
    runs = [evaluated("a", ids=("S010/001",)), evaluated("b", ids=("S010/001",), late=2)]
    with pytest.raises(AttncliError, match="no sequence's last frame"):
        apex(runs)


def test_sequences_without_a_class_are_drawn_only_by_their_ids(evaluated, apex, drawn):
    run = evaluated(labelled=False)
    with pytest.raises(AttncliError, match=r"no sequence of these runs has a class; .*--id"):
        apex([run])
    apex([run], ids=("S005/001",))
    assert drawn["columns"][0].maps[0].correct is None


@pytest.mark.parametrize(("value_range", "expected"), [("none", 0.31), ("clip", 1.0)])
def test_maps_are_scaled_as_the_style_says(evaluated, apex, drawn, value_range, expected):
    wish = {"ids": ("S005/001",)}
    apex([evaluated()], **wish, value_range=value_range)
    assert drawn["columns"][0].maps[0].attention == pytest.approx(np.full((3, 3), expected))


def test_the_mean_of_a_class_is_over_the_apex_of_all_its_sequences(
    evaluated, means, drawn, tmp_path
):
    outcome = means([evaluated()], "means.pdf")
    assert (tmp_path / "out" / "means.pdf").read_bytes().startswith(b"%PDF")
    surprise, anger = drawn["columns"]
    assert (surprise.title, surprise.caption) == ("surprise", "n = 2")
    assert (anger.title, anger.caption) == ("anger", "n = 3")
    # Their last clips are rows 2 and 8, and 1, 5 and 11, at step 3.
    assert surprise.maps[0].attention == pytest.approx(np.full((3, 3), 0.05 + 0.3))
    assert anger.maps[0].attention == pytest.approx(np.full((3, 3), 0.17 / 3 + 0.3))
    assert (anger.face == round((grey(0, 5) + grey(2, 7) + grey(4, 8)) / 3)).all()
    assert drawn["face_name"] == "mean face"
    assert outcome.rows[1] == {
        "class": "anger",
        "run": str(tmp_path / "runs" / "ec_ram"),
        "sequences": 3,
        "mean": pytest.approx(0.17 / 3 + 0.3),
        "entropy": pytest.approx(np.log2(10)),  # flat maps
    }


def test_the_classes_asked_for_are_drawn_in_that_order(evaluated, means, drawn):
    means([evaluated()], classes=("anger", "surprise"))
    assert [column.title for column in drawn["columns"]] == ["anger", "surprise"]
    with pytest.raises(UsageError, match="--class: no such name: 'fear'"):
        means([evaluated("other")], "other.png", classes=("fear",))


def test_a_sequence_that_cannot_be_read_is_named_and_the_others_are_drawn(
    evaluated, apex, means, drawn, data, tmp_path
):
    for file in (data / "S005/001").iterdir():
        file.write_bytes(b"no picture")
    run = evaluated()
    outcome = apex([run], ids=("S005/001", "S005/002"))
    assert [row["id"] for row in outcome.rows] == ["S005/002"]
    assert [failure.id for failure in outcome.failures] == ["S005/001"]
    line = json.loads((tmp_path / "out" / "fig4.failures.jsonl").read_text())
    assert line["path"] == str(data / "S005/001")
    outcome = means([run])
    assert [row["sequences"] for row in outcome.rows] == [2, 2]
    assert outcome.rows[1]["mean"] == pytest.approx((0.05 + 0.11) / 2 + 0.3)
    assert [failure.id for failure in outcome.failures] == ["S005/001"]


@pytest.mark.parametrize("kind", ["apex", "means"])
def test_without_any_readable_face_nothing_is_drawn(evaluated, request, data, tmp_path, kind):
    for file in data.glob("*/*/*.png"):
        file.unlink()
    outcome = request.getfixturevalue(kind)([evaluated()], "fig.png")
    assert outcome.rows == []
    assert written(tmp_path) == ["fig.failures.jsonl"]


@pytest.mark.parametrize("kind", ["apex", "means"])
def test_a_dry_run_writes_nothing_and_an_earlier_figure_stays(evaluated, request, tmp_path, kind):
    draw, run = request.getfixturevalue(kind), evaluated()
    rows = draw([run], "fig.png", dry_run=True).rows
    assert {row["out"] for row in rows} == {str(tmp_path / "out" / "fig.png")}
    assert written(tmp_path) == []
    done = draw([run], "fig.png").rows
    assert [{**row, "out": str(tmp_path / "out" / "fig.png")} for row in done] == rows
    with pytest.raises(AttncliError, match="exists already"):
        draw([run], "fig.png")
    draw([run], "fig.png", overwrite=True)


@pytest.mark.parametrize("kind", ["apex", "means"])
def test_a_video_is_refused_before_anything_is_read(request, tmp_path, kind):
    with pytest.raises(UsageError, match=r"must end in \.png or \.pdf"):
        request.getfixturevalue(kind)([tmp_path / "no run"], "fig.mp4")


def test_sequences_may_lie_elsewhere_than_at_training(evaluated, apex, data, tmp_path):
    run = evaluated()
    data.rename(tmp_path / "moved")
    assert len(apex([run], data=tmp_path / "moved").rows) == 2


def test_attention_alone_has_its_classes_in_alphabetical_order(evaluated, apex, data):
    directory = evaluated() / "eval" / "val" / "attention"
    rows = apex([directory], data=data).rows
    assert [row["label"] for row in rows] == ["anger", "surprise"]


def test_classes_that_a_page_does_not_hold_are_left_out_unless_asked_for(
    evaluated, apex, means, monkeypatch
):
    monkeypatch.setattr(faces, "columns_on_a_page", lambda width_in, runs: 1)
    run = evaluated()
    assert [row["label"] for row in apex([run], dry_run=True).rows] == ["surprise"]
    assert [row["class"] for row in means([run], dry_run=True).rows] == ["surprise"]
    assert len(means([run], classes=CLASSES, dry_run=True).rows) == 2


def test_frames_that_a_sample_names_are_those_of_its_sequence(data):
    files = tuple(data / "S010/001" / f"{frame:06}.png" for frame in (6, 2))
    sample = VideoSample("S010/001", data / "S010/001", 0, files=files)
    record = ClipRecord(0, "S010/001", "anger", "anger", (0, 1), CROP, False)
    assert (read_still(record, sample, 1) == grey(2, 2)).all()
