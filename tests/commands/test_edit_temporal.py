import json
import re

import numpy as np
import pytest

from attncli.commands.edit_temporal import SUBCOMMANDS
from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import dump
from attncli.errors import Failure
from attncli.files.active_intervals import ActiveInterval, write_active_intervals
from attncli.files.edit_directory import EditClip, EditDirectory
from attncli.files.temporal_edits import HEADER, write_temporal_edits
from attncli.reporting import Outcome


@pytest.fixture
def edits(tmp_path):
    directory = EditDirectory(tmp_path / "edits")
    directory.annotators_path.mkdir(parents=True)
    directory.config_path.write_text(dump(SelectConfig(run=tmp_path / "run")))
    directory.write_clips([EditClip("a", "Push", "Pull", 3, 12.0)])
    write_temporal_edits(directory.attention_path, {"a": np.full(3, 0.5, np.float32)})
    write_temporal_edits(directory.edits_path, {"a": np.full(3, np.nan, np.float32)})
    return directory


def scores(*values):
    return np.array(values, dtype=np.float32)


def rows(answer):
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help_with_an_example(run_cli, name):
    code, stdout, stderr = run_cli("edit-temporal", name, "--help")
    assert (code, stderr) == (0, "")
    assert re.search(rf"Example: attncli edit-temporal {name}\b", stdout)


def test_the_group_lists_its_subcommands(run_cli):
    code, stdout, _ = run_cli("edit-temporal")
    assert code == 0
    for name, (summary, _) in SUBCOMMANDS.items():
        assert re.search(rf"{name} +{re.escape(summary)}", stdout)


def test_edits_are_checked_and_counted(edits, run_cli):
    write_temporal_edits(edits.edits_path, {"a": scores(0, 0.5, 1)})
    (row,) = rows(run_cli("edit-temporal", "check", edits.path, "--json"))
    assert (row["file"], row["edited"], row["mean_score"]) == (str(edits.edits_path), 1, 0.5)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a,0,2\na,1,1\na,2,1\n", "line 2: clip 'a', frame 0: score '2' is not in [0, 1]"),
        ("a,0,1\na,2,1\n", "line 3: clip 'a': frame 1 is missing"),
        ("a,0,1\na,1,1\n", "clip 'a' has 2 frames, its video 3"),
        ("b,0,1\n", "line 2: there is no clip 'b'"),
        ("a,0,\na,1,1\na,2,1\n", "clip 'a', frame 0: no score, as for 1 of 3 frames"),
    ],
)
def test_the_first_thing_that_is_wrong_is_one_line_and_exit_1(edits, run_cli, lines, message):
    edits.edits_path.write_text(HEADER + lines)
    code, stdout, stderr = run_cli("edit-temporal", "check", edits.path)
    assert (code, stdout) == (1, "")
    assert stderr.startswith(f"attncli: error: {edits.edits_path}")
    assert message in stderr
    assert stderr.count("\n") == 1


def test_what_people_did_is_merged_once(edits, run_cli):
    for name, vector in (("anna", scores(0, 1, 1)), ("ben", scores(0, 1, 0.5))):
        write_temporal_edits(edits.annotator_path(name), {"a": vector})
    pair, together = rows(run_cli("edit-temporal", "merge", edits.path, "--json"))
    assert (pair["annotators"], pair["frames"]) == ("anna, ben", 3)
    assert together["annotators"] == "all 2"
    assert edits.read_edits().scores["a"].tolist() == [0, 1, 0.75]
    again = run_cli("edit-temporal", "merge", edits.path)
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr
    rows(run_cli("edit-temporal", "merge", edits.path, "--overwrite", "--rule", "median", "--json"))


def test_vectors_are_brought_in(edits, tmp_path, run_cli):
    (tmp_path / "saved" / "87").mkdir(parents=True)
    np.save(tmp_path / "saved" / "87" / "a.npy", scores(0, 0.5, 1))
    words = ("edit-temporal", "import-npy", edits.path, "--vectors", tmp_path / "saved")
    (row,) = rows(run_cli(*words, "--json"))
    assert row["edited"] == 1
    for more in ([edits.path, "--data", "x"], ["--data", "x"], ["-o", "x"], []):
        answer = run_cli("edit-temporal", "import-npy", *more, "--vectors", tmp_path / "saved")
        assert answer.exit_code == 2
        assert "name an edit directory, or both --data and --out" in answer.stderr


def test_the_oracle_says_that_it_is_no_person(edits, tmp_path, run_cli):
    truth = tmp_path / "active.csv"
    write_active_intervals(truth, {"a": ActiveInterval(1, 2, 2, 2)})
    answer = run_cli("edit-temporal", "oracle", edits.path, "--truth", truth, "--json")
    assert rows(answer)[0]["edited"] == 1
    assert "no person made these edits" in answer.stderr
    assert "no person" in run_cli("edit-temporal", "oracle", "--help").stdout


def test_select_passes_its_options_on_and_names_what_cannot_be_read(tmp_path, run_cli, monkeypatch):
    seen = {}

    def select_clips(settings, out, editing, **options):
        seen.update(settings=settings, out=out, kind=editing.kind, **options)
        return Outcome(rows=[{"clips": 1}], failures=[Failure("7", "videos/7.webm", "damaged")])

    monkeypatch.setattr("attncli.workflows.edit.select.selection.select_clips", select_clips)
    words = ("--weakest-classes", "8", "--max-clips", "20", "-o", tmp_path / "edits", "--resume")
    answer = run_cli("edit-temporal", "select", "run", *words)
    assert answer.exit_code == 3
    assert "videos/7.webm" in answer.stderr
    assert seen["settings"].weakest_classes == 8
    assert (seen["settings"].max_clips, seen["settings"].below_percent) == (20, 50)
    assert seen["kind"] == "temporal"
    assert (seen["out"], seen["resume"], seen["overwrite"]) == (tmp_path / "edits", True, False)
    run_cli("edit-temporal", "select", "run", "--below-percent", "30")
    assert seen["settings"].below_percent == 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--weakest-classes", "8", "--below-percent", "40"), "exclude each other"),
        (("--weakest-classes", "0"), "--weakest-classes"),
        (("--below-percent", "0"), "--below-percent"),
        (("--max-clips", "many"), "--max-clips"),
    ],
)
def test_settings_that_choose_nothing_are_usage_errors(run_cli, options, message):
    code, _, stderr = run_cli("edit-temporal", "select", "run", *options)
    assert code == 2
    assert message in stderr


def test_select_says_what_is_no_run(tmp_path, run_cli):
    code, _, stderr = run_cli("edit-temporal", "select", tmp_path / "none")
    assert code == 1
    assert "no such run" in stderr


@pytest.fixture
def served(monkeypatch):
    """What the page would be opened with."""
    calls = []

    def serve_edits(edits, **options):
        calls.append((edits, options))
        return Outcome(rows=[{"clips": 1, "edited": 1}])

    monkeypatch.setattr("attncli.workflows.edit.temporal.serve.serve_edits", serve_edits)
    return calls


def test_serve_opens_the_page_for_a_part_of_the_clips(edits, run_cli, served):
    words = ("--annotator", "anna", "--part", "3/74", "--port", "8123", "--no-browser")
    (row,) = rows(run_cli("edit-temporal", "serve", edits.path, *words, "--json"))
    assert row == {"clips": 1, "edited": 1}
    ((path, options),) = served
    del options["reporter"]
    assert path == edits.path
    assert options == {
        "annotator": "anna",
        "part": (3, 74),
        "port": 8123,
        "browser": False,
        "device": "auto",
    }


def test_serve_shows_all_clips_to_one_person_by_default(edits, run_cli, served):
    assert run_cli("edit-temporal", "serve", edits.path).exit_code == 0
    assert [served[0][1][name] for name in ("annotator", "part", "browser")] == [None, None, True]


@pytest.mark.parametrize("part", ["3", "0/4", "5/4", "a/b", "-1/2", "1/2/3"])
def test_what_is_no_part_is_a_usage_error(edits, run_cli, served, part):
    code, _, stderr = run_cli("edit-temporal", "serve", edits.path, f"--part={part}")
    assert code == 2
    assert "--part" in stderr
    assert served == []
