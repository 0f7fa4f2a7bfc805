import re
import resource
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.errors import AttncliError
from attncli.files.attention import (
    AttentionWriter,
    ClipRecord,
    attention_directory,
    merge_attention,
    open_attention,
)

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
EDGES = st.lists(
    st.integers(-10_000, 10_000_000).map(lambda thousandths: thousandths / 1000),
    min_size=2,
    max_size=2,
    unique=True,
).map(sorted)
FIELDS = st.fixed_dictionaries(
    {
        "id": NAMES,
        "label": NAMES | st.sampled_from(["NA", "None", "nan", "1"]),
        "predicted": NAMES,
        "frames": st.lists(st.integers(0, 10**6), min_size=1, max_size=4).map(tuple),
        "crop": st.tuples(EDGES, EDGES).map(lambda xy: (xy[0][0], xy[1][0], xy[0][1], xy[1][1])),
        "flip": st.booleans(),
    }
)


def record(row: int, **changes: object) -> ClipRecord:
    values: dict[str, object] = {
        "row": row,
        "id": f"A/{row}",
        "label": "A",
        "predicted": "B",
        "frames": (0, 4),
        "crop": (1.5, 0.0, 9.5, 8.0),
        "flip": False,
    }
    return ClipRecord(**(values | changes))


def maps(clips: int, *, seed: int = 0, shape: tuple[int, ...] = (2, 3, 4)) -> np.ndarray:
    return np.random.default_rng(seed).random((clips, *shape), dtype=np.float32)


def write(directory: Path, rows: list[int]) -> np.ndarray:
    values = maps(len(rows), seed=sum(rows))
    with AttentionWriter(directory) as writer:
        writer.append([record(row) for row in rows], spatial=values)
    return values


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(FIELDS, min_size=1, max_size=5), size=st.integers(1, 3))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, Any]], size: int
) -> None:
    records = [ClipRecord(row=row, **line) for row, line in enumerate(lines)]
    directory = tmp_path_factory.mktemp("attention")
    spatial, temporal = maps(len(records)), maps(len(records), shape=(2,))
    with AttentionWriter(directory) as writer:
        for start in range(0, len(records), size):
            part = slice(start, start + size)
            writer.append(records[part], spatial=spatial[part], temporal=temporal[part])
    found = open_attention(directory)
    np.testing.assert_array_equal(found.spatial, spatial)
    np.testing.assert_array_equal(found.temporal, temporal)
    assert [found.record(row) for row in range(len(records))] == records


def test_anything_can_map_the_arrays_into_memory(tmp_path: Path) -> None:
    values = write(tmp_path, [0, 1, 2])
    mapped = np.load(tmp_path / "spatial.npy", mmap_mode="r", allow_pickle=False)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, values)
    assert not (tmp_path / "temporal.npy").exists()


def test_lines_of_the_table_read_as_the_format_says(tmp_path: Path) -> None:
    write(tmp_path, [0])
    assert (tmp_path / "clips.csv").read_text() == (
        "row,id,label,predicted,frames,crop,flip\n0,A/0,A,B,0 4,1.5 0 9.5 8,0\n"
    )


def test_a_class_called_na_stays_a_name(tmp_path: Path) -> None:
    with AttentionWriter(tmp_path) as writer:
        writer.append([record(0, label="NA", predicted="", id="7")], spatial=maps(1))
    clips = open_attention(tmp_path).clips
    assert clips.iloc[0][["id", "label", "predicted"]].tolist() == ["7", "NA", ""]


def test_parts_of_several_processes_merge_in_the_order_of_the_dataset(tmp_path: Path) -> None:
    first, second = write(tmp_path / "0", [0, 9, 6]), write(tmp_path / "1", [1, 3])
    merge_attention([tmp_path / "0", tmp_path / "1", tmp_path / "none"], tmp_path / "all")
    merged = open_attention(tmp_path / "all")
    expected = np.stack([first[0], second[0], second[1], first[2], first[1]])
    np.testing.assert_array_equal(merged.spatial, expected)
    assert merged.clips["id"].tolist() == ["A/0", "A/1", "A/3", "A/6", "A/9"]
    assert merged.clips["row"].tolist() == [0, 1, 2, 3, 4]


def test_parts_without_maps_merge_to_nothing(tmp_path: Path) -> None:
    with AttentionWriter(tmp_path / "0") as writer:
        writer.append([record(0)])
    merge_attention([tmp_path / "0"], tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_an_error_in_the_block_leaves_no_table(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), AttentionWriter(tmp_path) as writer:
        writer.append([record(0)], spatial=maps(1))
        raise ZeroDivisionError
    assert not (tmp_path / "clips.csv").exists()


def test_attention_is_found_in_a_run_or_by_its_own_directory(tmp_path: Path) -> None:
    inner = tmp_path / "eval" / "val" / "attention"
    write(inner, [0])
    assert attention_directory(tmp_path, "val") == inner
    assert attention_directory(inner, "val") == inner


def test_a_run_without_attention_is_told_from_one_not_evaluated(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match=r"run `attncli eval .* --split train` first"):
        attention_directory(tmp_path, "train")
    (tmp_path / "eval" / "val").mkdir(parents=True)
    with pytest.raises(AttncliError, match="holds no attention maps"):
        attention_directory(tmp_path, "val")
    with pytest.raises(AttncliError, match="no such directory"):
        attention_directory(tmp_path / "absent", "val")
    with pytest.raises(AttncliError, match="holds no attention maps"):
        open_attention(tmp_path)


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros((1, 2, 3, 4)), "float32 with 4 axes is expected, not float64"),
        (np.zeros((1, 2, 3), np.float32), "float32 with 4 axes is expected"),
        (np.zeros((2, 2, 3, 4), np.float32), "2 rows, but clips.csv has 1"),
        (np.zeros((1, 2, 0, 4), np.float32), "have no values"),
        (np.array([{}], dtype=object), "is not a plain .npy array"),
    ],
)
def test_arrays_that_are_no_attention_are_refused(
    tmp_path: Path, array: np.ndarray, complaint: str
) -> None:
    write(tmp_path, [0])
    np.save(tmp_path / "spatial.npy", array)
    with pytest.raises(AttncliError, match=complaint):
        open_attention(tmp_path)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("frames", ""),
        ("frames", "a b"),
        ("frames", "-1 4"),
        ("frames", "0 99999999999999999999999"),
        ("crop", "x"),
        ("crop", "0 0 8"),
        ("crop", "nan nan nan nan"),
        ("crop", "0 0 inf inf"),
        ("crop", "5 5 5 5"),
        ("crop", "8 8 0 0"),
        ("flip", "maybe"),
    ],
)
def test_a_line_that_says_no_clip_is_named(tmp_path: Path, column: str, text: str) -> None:
    write(tmp_path, [0])
    clips = pd.read_csv(tmp_path / "clips.csv", dtype=str)
    clips.assign(**{column: text}).to_csv(tmp_path / "clips.csv", index=False)
    with pytest.raises(AttncliError, match=r"clips\.csv, row 0: is not a row of clips .*attncli"):
        open_attention(tmp_path).record(0)


def test_a_row_that_is_no_number_is_named(tmp_path: Path) -> None:
    write(tmp_path, [0])
    clips = pd.read_csv(tmp_path / "clips.csv", dtype=str)
    clips.assign(row="z").to_csv(tmp_path / "clips.csv", index=False)
    with pytest.raises(AttncliError, match=r"clips\.csv: column row: 'z' is not a whole number"):
        open_attention(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("spatial.npy", 1.5, r"row 1: a value is 1\.5, attention is in \[0, 1\]"),
        ("spatial.npy", -0.25, r"row 1: a value is -0\.25"),
        ("spatial.npy", 1e30, r"row 1: a value is 1e\+30"),
        ("spatial.npy", np.nan, "row 1: a value is not finite"),
        ("temporal.npy", np.inf, "row 1: a value is not finite"),
        ("temporal.npy", 2, "row 1: a value is 2"),
    ],
)
def test_attention_outside_0_and_1_is_refused_where_it_is_read(
    tmp_path: Path, name: str, value: float, complaint: str
) -> None:
    with AttentionWriter(tmp_path) as writer:
        attention = maps(2)
        both = {"spatial": attention, "temporal": attention[:, :, 0, 0]}
        writer.append([record(0), record(1)], **both)
    values = np.load(tmp_path / name)
    values[1, -1] = value
    np.save(tmp_path / name, values)
    with pytest.raises(AttncliError, match=rf"{re.escape(name)}: {complaint}"):
        open_attention(tmp_path)


def test_attention_a_rounding_beyond_1_is_attention(tmp_path: Path) -> None:
    write(tmp_path, [0])
    values = np.load(tmp_path / "spatial.npy")
    np.save(tmp_path / "spatial.npy", np.full_like(values, 1 + 1e-6))
    assert open_attention(tmp_path).spatial is not None


def test_an_archive_of_arrays_is_no_array(tmp_path: Path) -> None:
    write(tmp_path, [0])
    with (tmp_path / "spatial.npy").open("wb") as file:
        np.savez(file, spatial=maps(1))
    with pytest.raises(AttncliError, match=r"spatial\.npy: is not a plain \.npy array"):
        open_attention(tmp_path)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, [0])
    (tmp_path / "clips.csv").write_text("row,id\n0,a\n")
    with pytest.raises(AttncliError, match=r"clips\.csv: column label is missing"):
        open_attention(tmp_path)
    (tmp_path / "clips.csv").write_text("")
    with pytest.raises(AttncliError, match=r"clips\.csv: is not a CSV table"):
        open_attention(tmp_path)
    (tmp_path / "spatial.npy").write_bytes(b"")
    with pytest.raises(AttncliError, match=r"spatial\.npy: is not a plain \.npy array"):
        open_attention(tmp_path)


def test_a_full_disk_is_an_error_that_names_the_file_and_no_end_without_a_word(
    tmp_path: Path,
) -> None:
    write(tmp_path / "0", [0, 2])
    write(tmp_path / "1", [1])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as error:
            merge_attention([tmp_path / "0", tmp_path / "1"], tmp_path / "all")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert error.value.filename == str(tmp_path / "all" / "spatial.npy")
