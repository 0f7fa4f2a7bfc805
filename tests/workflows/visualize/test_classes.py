import csv

import numpy as np
import pytest
from PIL import Image

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.attention import ClipRecord
from attncli.reporting import Silent
from attncli.workflows.visualize import classes
from tests.support.runs import write_attention

CROP = (0.0, 0.0, 24.0, 24.0)


@pytest.fixture
def evaluated(tmp_path):
    """Return what writes a run's temporal attention, a row of values a clip."""

    def make(name, values, labels):
        values = np.array(values, np.float32)
        records = [
            ClipRecord(row, f"v{row}", label, "Hop", tuple(range(values.shape[1])), CROP, False)
            for row, label in enumerate(labels)
        ]
        write_attention(tmp_path / name, records, temporal=values)
        return tmp_path / name

    return make


@pytest.fixture
def draw(tmp_path):
    def draw(runs, name="classes.png", **options):
        ways = {key: options.pop(key) for key in ("dry_run", "overwrite") if key in options}
        config = VisualizeConfig(out=tmp_path / "out" / name, dpi=60, **options)
        return classes.draw(config, runs, reporter=Silent(), **ways)

    return draw


def table(tmp_path):
    with (tmp_path / "out" / "classes.csv").open() as file:
        return list(csv.DictReader(file))


def test_each_class_and_run_has_mean_and_spread_over_its_clips(evaluated, draw, tmp_path):
    before = evaluated("before", [[0.0, 0.2], [0.5, 0.1], [0.4, 0.6]], ["Run", "Hop", "Run"])
    after = evaluated("after", [[0.1, 0.2, 0.9, 0.3]], ["Run"])
    outcome = draw([before, after])
    assert outcome.rows == [
        {
            "class": "Hop",
            "run": str(before),
            "clips": 1,
            "mean": pytest.approx(0.3),
            "peak_time": 0.25,
        },
        {
            "class": "Run",
            "run": str(before),
            "clips": 2,
            "mean": pytest.approx(0.3),
            "peak_time": 0.75,
        },
        {
            "class": "Run",
            "run": str(after),
            "clips": 1,
            "mean": pytest.approx(0.375),
            "peak_time": 0.625,
        },
    ]
    lines = [
        line for line in table(tmp_path) if (line["class"], line["run"]) == ("Run", str(before))
    ]
    assert [float(line["mean"]) for line in lines] == pytest.approx([0.2, 0.4])
    # Sample standard deviations of 0, 0.4 and of 0.2, 0.6: both differences of 0.4 over sqrt(2).
    assert [float(line["std"]) for line in lines] == pytest.approx([0.4 / 2**0.5] * 2)
    assert [float(line["time"]) for line in lines] == [0.25, 0.75]
    assert [line["std"] for line in table(tmp_path) if line["class"] == "Hop"] == ["", ""]
    with Image.open(tmp_path / "out" / "classes.png") as image:
        assert image.width > 60


def test_clips_without_a_class_belong_to_none(evaluated, draw):
    run = evaluated("st_abn", [[0.0, 0.0], [1.0, 1.0]], ["", "Hop"])
    (row,) = draw([run]).rows
    assert (row["class"], row["clips"], row["mean"]) == ("Hop", 1, 1.0)


def test_the_classes_asked_for_are_drawn_in_that_order_and_all_are_in_the_table(
    evaluated, draw, tmp_path
):
    run = evaluated("st_abn", np.zeros((4, 2)), ["Hop", "Run", "Walk", "Skip"])
    outcome = draw([run], classes=("Walk", "Hop"))
    assert [row["class"] for row in outcome.rows] == ["Walk", "Hop"]
    assert {line["class"] for line in table(tmp_path)} == {"Hop", "Run", "Walk", "Skip"}


def test_where_a_page_does_not_hold_all_classes_those_with_most_clips_are_drawn(evaluated, draw):
    names = [f"class{number:02}" for number in range(30)]
    labels = [name for number, name in enumerate(names) for _ in range(2 if number >= 6 else 1)]
    run = evaluated("st_abn", np.zeros((len(labels), 2)), labels)
    assert [row["class"] for row in draw([run]).rows] == names[6:]  # 4 columns, 6 lines


def test_a_class_that_no_run_has_is_refused(evaluated, draw):
    with pytest.raises(UsageError, match=r"--class: no such name: 'Hopp' .*there is Hop"):
        draw([evaluated("st_abn", [[0.0, 0.0]], ["Hop"])], classes=("Hopp",))


def test_a_run_without_temporal_attention_is_refused(evaluated, draw, tmp_path):
    record = ClipRecord(0, "v0", "Hop", "Hop", (0, 1), CROP, False)
    write_attention(tmp_path / "abn", [record], spatial=np.ones((1, 2, 3, 3), np.float32))
    with pytest.raises(AttncliError, match=r"abn.*holds no temporal attention"):
        draw([evaluated("st_abn", [[0.0, 0.0]], ["Hop"]), tmp_path / "abn"])


def test_values_that_are_no_attention_are_named_with_their_row(evaluated, draw):
    run = evaluated("st_abn", [[0.0, 0.0], [0.0, np.nan]], ["Hop", "Run"])
    with pytest.raises(AttncliError, match=r"temporal\.npy: row 1: a value is not finite"):
        draw([run])


def test_values_that_do_not_fit_their_frames_are_refused(evaluated, draw):
    run = evaluated("st_abn", [[0.0, 0.5, 1.0]], ["Hop"])
    path = run / "eval" / "val" / "attention" / "temporal.npy"
    np.save(path, np.load(path)[:, :2])
    with pytest.raises(AttncliError, match="another number of frames than of maps"):
        draw([run])


def test_clips_of_no_class_make_no_figure(evaluated, draw):
    with pytest.raises(AttncliError, match="no clip of these runs has a class"):
        draw([evaluated("st_abn", [[0.0, 0.0]], [""])])


def test_a_dry_run_writes_nothing_and_an_earlier_figure_stays(evaluated, draw, tmp_path):
    run = evaluated("st_abn", [[0.0, 1.0]], ["Hop"])
    (row,) = draw([run], dry_run=True).rows
    assert row["out"] == str(tmp_path / "out" / "classes.png")
    assert not (tmp_path / "out").exists()
    draw([run])
    with pytest.raises(AttncliError, match="exists already"):
        draw([run])
    draw([run], overwrite=True)


def test_curves_make_no_video(evaluated, draw):
    with pytest.raises(UsageError, match=r"must end in \.png or \.pdf"):
        draw([evaluated("st_abn", [[0.0, 1.0]], ["Hop"])], "classes.mp4")


def test_a_pdf_is_written_by_its_suffix(evaluated, draw, tmp_path):
    draw([evaluated("st_abn", [[0.0, 1.0]], ["Hop"])], "classes.pdf")
    assert (tmp_path / "out" / "classes.pdf").read_bytes().startswith(b"%PDF")
