import json
import re
from pathlib import Path

import numpy as np
import pytest

from attncli.commands.edit_temporal import SUBCOMMANDS
from attncli.config.edit_temporal import PageCall, SelectCall, SelectConfig, ServeCall
from attncli.config.toml import dump
from attncli.files.active_intervals import ActiveInterval, write_active_intervals
from attncli.files.edit_directory import EditClip, EditDirectory
from attncli.files.temporal_edits import HEADER, write_temporal_edits


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
        ("b,0,1\n", "line 2: no such clip: 'b'"),
        ("a,0,\na,1,1\na,2,1\n", "'a' (2 of 3 frames, none for frame 0)"),
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


def test_options_of_select_become_settings(told):
    found = told(SelectConfig, "run", "--weakest-classes", "8", "--max-clips", "20")
    assert found == SelectConfig(run=Path("run"), weakest_classes=8, max_clips=20)
    assert told(SelectConfig, "run", "--below-percent", "30").below_percent == 30
    call = told(SelectCall, "-o", "e", "--batch-size", "2", "--device", "cpu")
    assert call == SelectCall(out=Path("e"), batch_size=2, device="cpu")


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


def test_options_of_serve_become_settings(told):
    found = told(ServeCall, "edits", "--annotator", "anna", "--part", "3/74")
    assert (found.edits, found.annotator, found.part_of) == (Path("edits"), "anna", (3, 74))
    assert told(ServeCall, "edits").part_of is None
    assert told(PageCall, "--port", "8123", "--no-browser") == PageCall(port=8123, browser=False)
    assert told(PageCall) == PageCall(port=0, browser=True)


@pytest.mark.parametrize("part", ["3", "0/4", "5/4", "a/b", "-1/2", "1/2/3"])
def test_what_is_no_part_is_a_usage_error(edits, run_cli, part):
    code, _, stderr = run_cli("edit-temporal", "serve", edits.path, f"--part={part}")
    assert code == 2
    assert f"--part: must be a part such as 3/74, not {part!r}" in stderr


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_what_is_no_port_is_a_usage_error(edits, run_cli, port):
    code, _, stderr = run_cli("edit-temporal", "serve", edits.path, f"--port={port}")
    assert code == 2
    assert "--port: must be in [0, 65535]" in stderr
