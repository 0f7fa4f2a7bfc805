import json
import os

import pytest

from attncli.data.layouts import open_dataset
from attncli.data.samples import VideoSample
from attncli.errors import AttncliError


@pytest.fixture
def write(tmp_path):
    for name in ("a.avi", "b.avi", "c.avi"):
        (tmp_path / "clips").mkdir(exist_ok=True)
        (tmp_path / "clips" / name).touch()

    def make(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def test_csv_names_labels_splits_ids_and_subjects(write, tmp_path):
    path = write(
        "list.csv",
        "id,path,label,split,subject\n"
        "run/a,clips/a.avi,run,train,s1\n"
        'jump/b,clips/b.avi,"jump, high",train,s2\n'
        "run/c,clips/c.avi,run,test,s1\n",
    )
    train, val = open_dataset(path, split="train"), open_dataset(path, split="val")
    assert train.layout == "manifest"
    assert train.classes == val.classes == ("jump, high", "run")
    assert train.samples == (
        VideoSample("run/a", tmp_path / "clips/a.avi", 1, subject="s1"),
        VideoSample("jump/b", tmp_path / "clips/b.avi", 0, subject="s2"),
    )
    assert [sample.id for sample in val.samples] == ["run/c"]
    assert len(open_dataset(path, split="all").samples) == 3


def test_json_lines_say_the_same(write, tmp_path):
    rows = [
        {"path": "clips/a.avi", "label": 2, "split": "train", "subject": 7, "tags": ["more"]},
        {"path": str(tmp_path / "clips" / "b.avi"), "label": 0, "split": "training", "id": 7},
        {"path": "clips/c.avi", "split": "validation"},
    ]
    path = write("list.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n\n")
    train = open_dataset(path, split="train")
    assert train.classes == ("0", "1", "2")
    assert train.samples == (
        VideoSample("clips/a", tmp_path / "clips/a.avi", 2, subject="7"),
        VideoSample("7", tmp_path / "clips/b.avi", 0),
    )
    assert open_dataset(path, split="val").samples[0].label == -1


def test_ids_are_paths_below_the_manifest_without_the_video_suffix(write, tmp_path):
    inside, outside = tmp_path / "clips" / "a.avi", "../clips/b.v2"
    path = write("list.csv", f"path,split\n{inside},train\n{outside},train\n")
    assert [s.id for s in open_dataset(path, split="train").samples] == ["clips/a", "clips/b.v2"]


def test_two_columns_of_path_and_label_are_a_list_of_one_split(write, tmp_path):
    write("train.txt", "clips/a.avi 1\n\nclips/with space.avi 0\n")
    write("val.txt", "clips/c.avi 1\n")
    train = open_dataset(tmp_path, split="train")
    assert [(s.id, s.label) for s in train.samples] == [("clips/a", 1), ("clips/with space", 0)]
    assert [s.id for s in open_dataset(tmp_path, split="val").samples] == ["clips/c"]
    assert len(open_dataset(tmp_path, split="all").samples) == 3
    assert len(open_dataset(tmp_path / "train.txt", split="train").samples) == 2


def test_a_list_without_splits_serves_for_all_only(write):
    path = write("list.txt", "clips/a.avi 1\n")
    assert len(open_dataset(path, split="all").samples) == 1
    with pytest.raises(AttncliError, match="lists no video of split 'train'; add a list train"):
        open_dataset(path, split="train")


def test_a_missing_validation_list_is_named(write, tmp_path):
    write("train.csv", "path,label\nclips/a.avi,1\n")
    with pytest.raises(AttncliError, match=r"lists no video of split 'val'; add a list val\.csv"):
        open_dataset(tmp_path, split="val")


def test_a_directory_of_frames_may_be_listed(write, tmp_path):
    (tmp_path / "clips" / "d").mkdir()
    path = write("list.csv", "path,split\nclips/d,train\n")
    assert open_dataset(path, split="train").samples[0].id == "clips/d"


def test_a_list_of_images_is_refused_with_its_line_and_what_to_do(write, tmp_path):
    path = write("train.txt", "clips/a.avi 0\na/abbey/00001.JPG 1\n")
    with pytest.raises(AttncliError) as error:
        open_dataset(tmp_path, split="train")
    assert str(error.value) == (
        f"{path}, line 2: `path` 'a/abbey/00001.JPG' is an image by its name, not a video; list"
        " videos or directories of frames, or use a method for images"
    )


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "png", "bmp", "webp"])
def test_images_are_known_by_their_names_whether_they_are_there_or_not(write, tmp_path, suffix):
    (tmp_path / f"b.{suffix}").touch()
    for name in (f"b.{suffix}", f"gone.{suffix}", f"{'a' * 300}.{suffix}"):
        with pytest.raises(AttncliError, match=r"line 2: .* is an image by its name, not a video"):
            open_dataset(write("list.csv", f"path,split\n{name},val\n"), split="train")


def test_a_directory_of_frames_may_be_called_like_an_image(write, tmp_path):
    (tmp_path / "clips" / "d.png").mkdir()
    path = write("list.csv", "path,split\nclips/d.png,train\n")
    assert open_dataset(path, split="train").samples[0].id == "clips/d.png"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("list.csv", "path,split\na.avi,train\nb.avi\n", r"list\.csv, line 3: expected 2 columns"),
        ("list.csv", "path,split\na.avi,train,x\n", "line 2: expected 2 columns"),
        ("list.csv", "file,split\na.avi,train\n", "line 2: has no `path`"),
        ("list.csv", "path,split\na.avi,holdout\n", "line 2: split 'holdout' is neither"),
        ("list.csv", "path,split\na.avi,train\na.avi,train\n", "line 3: video 'a' is listed twice"),
        ("list.csv", "id,path,split\n../x,a.avi,train\n", "line 2: id '../x' leads out"),
        ("list.jsonl", '{"path": "a.avi"}\n{"path": \n', "line 2: is not valid JSON"),
        ("list.jsonl", '["a.avi"]\n', "line 1: expected a JSON object"),
        ("list.jsonl", '{"path": 1.5}\n', "line 1: `path` is neither text"),
        ("list.jsonl", '{"path": "a.avi", "label": true}\n', "line 1: `label` is neither"),
        ("list.txt", "a.avi 0\nb.avi\n", "line 2: expected `path label`"),
        ("list.csv", "", "lists no video of split 'train'"),
    ],
)
def test_malformed_manifests_are_named_with_the_line(write, name, text, problem):
    path = write(name, text)
    with pytest.raises(AttncliError, match=problem) as error:
        open_dataset(path, split="train")
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_manifest_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AttncliError, match=r"list\.csv: cannot be read"):
        open_dataset(path, split="train")


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["01", "02", "10"], ("01", "02", "10")),
        (["0", "2"], ("0", "1", "2")),
        (["1", "01"], ("01", "1")),
        (["123456789012"], ("123456789012",)),
        (["9" * 5000], ("9" * 5000,)),
        (["٣"], ("٣",)),
    ],
)
def test_labels_that_do_not_count_are_names(write, labels, classes):
    lines = "".join(f"clips/{i}.avi,{label},train\n" for i, label in enumerate(labels))
    path = write("list.csv", "path,label,split\nclips/a.avi,,train\n" + lines)
    dataset = open_dataset(path, split="train")
    assert dataset.classes == classes
    assert [dataset.classes[sample.label] for sample in dataset.samples[1:]] == labels


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "txt"])
def test_only_a_newline_ends_a_line(write, suffix):
    name = "clips/a\u2028b\u2029c\x0bd.avi"
    text = {
        "csv": f"path,label,split,id\n{name},run,train,1\nclips/a.avi,run,train,2\n",
        "jsonl": "".join(
            json.dumps({"path": p, "label": "run", "split": "train", "id": i}, ensure_ascii=False)
            + "\n"
            for i, p in enumerate((name, "clips/a.avi"))
        ),
        "txt": f"clips/a.avi run\n{name.replace(chr(11), '')}\trun\n",
    }[suffix]
    path = write(f"train.{suffix}" if suffix == "txt" else f"list.{suffix}", text)
    dataset = open_dataset(path, split="train")
    assert len(dataset.samples) == 2
    assert {"a", "a\u2028b\u2029c"} >= {s.path.stem[:5] for s in dataset.samples}


def test_a_cell_may_hold_a_newline(write):
    path = write(
        "list.csv", 'path,label,split\n"clips/a\nb.avi",run,train\nclips/a.avi,run,train\n'
    )
    with pytest.raises(AttncliError, match=r"line 3: a name cannot be made of `path`"):
        open_dataset(path, split="train")


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"id": "a\0b"}, r"`id` 'a\\x00b' has a control character"),
        ({"label": "ru\x0bn"}, r"`label` 'ru\\x0bn' has a control character"),
        ({"label": "ru\u0085n"}, r"`label` 'ru\\x85n' has a control character"),
        ({"id": "caf\udce9"}, r"`id` 'caf\\udce9' has a control character"),
        ({"path": "clips/a\0.avi"}, "`path` has a NUL"),
        ({"path": "clips/caf\udce9.avi"}, "a name cannot be made of `path` .* give it an `id`"),
    ],
)
def test_names_that_cannot_be_written_down_are_refused_with_the_line(write, record, problem):
    line = json.dumps({"path": "clips/a.avi", "label": "run", "split": "train"} | record)
    with pytest.raises(AttncliError, match=rf"list\.jsonl, line 1: {problem}"):
        open_dataset(write("list.jsonl", line + "\n"), split="train")


def test_a_file_whose_name_is_no_utf8_can_be_listed_with_an_id(write, tmp_path):
    name = os.fsencode(tmp_path / "clips") + b"/caf\xe9.avi"
    os.close(os.open(name, os.O_CREAT))
    line = {"path": "clips/caf\udce9.avi", "label": "run", "split": "train", "id": "cafe"}
    (sample,) = open_dataset(write("list.jsonl", json.dumps(line)), split="train").samples
    assert (sample.id, sample.path.exists()) == ("cafe", True)


@pytest.mark.parametrize("line", ["[" * 100_000, '{"path": ' + "1" * 5000 + "}", '{"path": NaN}'])
def test_json_that_cannot_be_is_named_with_its_line(write, line):
    with pytest.raises(
        AttncliError, match=r"list\.jsonl, line 2: (cannot be read|is not valid JSON)"
    ):
        open_dataset(write("list.jsonl", f"\n{line}\n"), split="train")
