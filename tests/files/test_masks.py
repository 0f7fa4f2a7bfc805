import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from attncli.errors import AttncliError
from attncli.files.masks import FrameMasks, Instance, MaskDirectory, MaskWriter

SIZE_HW = (12, 20)

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def square(left: int, *, category: str = "object") -> Instance:
    mask = np.zeros(SIZE_HW, dtype=np.bool_)
    mask[3:7, left : left + 4] = True
    return Instance.of(mask, category=category, score=0.75)


def write(root: Path, frames: dict[int, tuple[Instance, ...]], video_id: str = "Jump/v_1") -> Path:
    with MaskWriter(root, video_id) as writer:
        for frame, instances in frames.items():
            writer.write(FrameMasks(frame, SIZE_HW, instances))
    return MaskDirectory(root).path(video_id)


@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from([0, 0.1, 1])
)
def test_a_mask_comes_back_from_its_run_lengths(height, width, seed, share):
    mask = np.random.default_rng(seed).random((height, width)) < share
    instance = Instance.of(mask, category="dog", score=0.5)
    np.testing.assert_array_equal(instance.mask((height, width)), mask)


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 300))
def test_run_lengths_are_read_as_pycocotools_reads_them(seed, height, width):
    corner = np.random.default_rng(seed).integers(0, 300, size=(2, 2))
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[corner[0, 0] : corner[0, 1], corner[1, 0] : corner[1, 1]] = True
    instance = Instance.of(mask, category="dog", score=0.5)
    theirs = coco.decode({"size": [height, width], "counts": instance.counts.encode()})
    np.testing.assert_array_equal(instance.mask((height, width)), theirs)


def test_a_line_is_what_the_format_says(tmp_path):
    path = write(tmp_path, {0: (square(5),)})
    (line,) = path.read_text(encoding="ascii").splitlines()
    entry = json.loads(line)
    assert entry["frame"] == 0
    assert entry["size"] == [12, 20]
    (instance,) = entry["instances"]
    assert instance["category"] == "object"
    assert instance["score"] == 0.75
    assert instance["bbox"] == [5, 3, 4, 4]
    theirs = coco.decode({"size": entry["size"], "counts": instance["counts"].encode()})
    assert theirs.sum() == 16


def test_what_is_written_is_read(tmp_path):
    frames = {0: (square(1, category="dog"), square(9)), 1: (), 2: (square(2),)}
    write(tmp_path, frames)
    read = list(MaskDirectory(tmp_path).frames("Jump/v_1"))
    assert read == [FrameMasks(frame, SIZE_HW, found) for frame, found in frames.items()]


def test_masks_of_a_frame_are_the_union_of_its_instances(tmp_path):
    write(tmp_path, {0: (square(1), square(3)), 1: ()})
    masks = MaskDirectory(tmp_path).read("Jump/v_1", [1, 0, 0])
    expected = np.zeros(SIZE_HW, dtype=np.bool_)
    expected[3:7, 1:7] = True
    np.testing.assert_array_equal(masks, [np.zeros_like(expected), expected, expected])


def test_a_skipped_frame_takes_the_masks_before_it(tmp_path):
    write(tmp_path, {0: (square(1),), 4: (square(9),), 6: ()})
    masks = MaskDirectory(tmp_path).read("Jump/v_1", np.array([3, 5, 6]))
    lefts = [int(np.flatnonzero(mask.any(axis=0)).min()) if mask.any() else -1 for mask in masks]
    assert lefts == [1, 9, -1]


def test_a_file_has_its_name_only_once_it_is_whole(tmp_path):
    directory = MaskDirectory(tmp_path)
    with pytest.raises(RuntimeError), MaskWriter(tmp_path, "v") as writer:
        writer.write(FrameMasks(0, SIZE_HW, ()))
        assert not directory.finished("v")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    write(tmp_path, {0: ()}, "v")
    assert directory.finished("v")


@pytest.mark.parametrize("name", ["[ab]", "*", "v" * 249, os.fsdecode(b"caf\xe9")])
def test_names_are_names_and_no_patterns(tmp_path, name):
    for other in ("a", "b"):
        write(tmp_path, {0: ()}, other)
    write(tmp_path, {0: ()}, name)
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.jsonl",
        "b.jsonl",
        f"{name}.jsonl",
    }


@pytest.mark.parametrize("size", [[65536, 65536], [1, 1 << 27], [0, 4], [-1, -1]])
def test_frames_that_cannot_be_are_refused_before_their_memory_is_taken(tmp_path, size):
    line = {"frame": 0, "size": size, "instances": []}
    (tmp_path / "v.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(AttncliError, match=r"v\.jsonl:1: not a line of masks \(a frame cannot"):
        MaskDirectory(tmp_path).read("v", [0])


def test_missing_masks_are_named(tmp_path):
    with pytest.raises(AttncliError, match=r"Jump/v_1\.jsonl: no masks for this video; run"):
        MaskDirectory(tmp_path).read("Jump/v_1", [0])


def test_a_frame_past_the_end_is_named(tmp_path):
    write(tmp_path, {0: (), 1: ()})
    with pytest.raises(AttncliError, match=r"v_1\.jsonl: no masks for frame 2;"):
        MaskDirectory(tmp_path).read("Jump/v_1", [0, 2])


def test_frames_of_different_sizes_are_refused(tmp_path):
    lines = [
        LINE.format(""),
        LINE.format("").replace('"frame":0,"size":[12', '"frame":1,"size":[13'),
    ]
    (tmp_path / "v.jsonl").write_text("\n".join(lines))
    with pytest.raises(AttncliError, match=r"v\.jsonl:2: .*not the size"):
        MaskDirectory(tmp_path).read("v", [0, 1])


LINE = '{{"frame":0,"size":[12,20],"instances":[{}]}}'
OTHER_SIZE = Instance.of(np.ones((4, 4), np.bool_), category="", score=1.0)
COUNTS = '{{"category":"dog","score":1,"bbox":[0,0,1,1],"counts":"{}"}}'


@pytest.mark.parametrize(
    "line",
    [
        "",
        '{"frame": 0, "size": [12',
        '{"frame": 0}',
        '["frame", 0]',
        '{"size": [12, 20], "instances": []}',
        LINE.format('{"category": "dog"}'),
        LINE.format("").replace("[12,20]", "[1e999,20]"),
        LINE.format("").replace("[12,20]", "[0,0]"),
        LINE.format("").replace("[12,20]", "[1000000,1000000]"),
        LINE.format("").replace("[12,20]", "[" * 100_000),
        LINE.format("").replace('"frame":0', '"frame":' + "9" * 5000),
        LINE.format(COUNTS.format("")),
        LINE.format(COUNTS.format("1")),
        LINE.format(COUNTS.format("garbage")),
        LINE.format(COUNTS.format("zzzzzzzzzzzzzzzzzzzzzzz")),
        LINE.format(COUNTS.format("\x7f\x7f")),
        LINE.format(COUNTS.format("ä")),
        LINE.format(
            COUNTS.format(Instance.of(np.ones((4, 4), np.bool_), category="", score=1.0).counts)
        ),
    ],
)
def test_a_malformed_line_is_named_by_file_and_number(tmp_path, line):
    good = LINE.format("").replace('"frame":0', '"frame":1')
    (tmp_path / "v.jsonl").write_text(f"{line}\n{good}\n", encoding="utf-8")
    with pytest.raises(AttncliError, match=r"v\.jsonl:1: not a line of masks"):
        MaskDirectory(tmp_path).read("v", [0])


def test_frames_out_of_order_are_refused(tmp_path):
    lines = [LINE.format("").replace('"frame":0', f'"frame":{n}') for n in (0, 2, 1)]
    (tmp_path / "v.jsonl").write_text("\n".join(lines))
    with pytest.raises(AttncliError, match=r"v\.jsonl:3: .*must increase"):
        MaskDirectory(tmp_path).read("v", [0])
