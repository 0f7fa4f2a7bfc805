from pathlib import PurePosixPath

import pytest

from attncli.data.layouts.image_lists import Line, image_below, read_lines
from attncli.errors import AttncliError


@pytest.fixture
def line(tmp_path):
    return Line(tmp_path / "list.txt", 3, "a/b.jpg")


def test_lines_that_say_nothing_count_and_are_left_out(tmp_path):
    file = tmp_path / "list.txt"
    file.write_bytes(b"\xef\xbb\xbfa/1.jpg\r\n\r\n \t\r\n 2 b/c d.jpg \r\n")
    lines = list(read_lines(file))
    assert [(line.number, line.text) for line in lines] == [(1, "a/1.jpg"), (4, "2 b/c d.jpg")]
    assert lines[1].words == ["2", "b/c", "d.jpg"]


def test_an_error_says_where_it_is(line):
    assert str(line.error("is wrong")).startswith(f"{line.file}, line 3: is wrong; correct it, or")


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_list_of_nothing_is_refused(tmp_path, text):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(AttncliError, match=r"list\.txt: is empty"):
        list(read_lines(tmp_path / "list.txt"))


def test_a_list_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AttncliError, match=r"list\.txt: cannot be read \(it is not UTF-8"):
        list(read_lines(tmp_path / "list.txt"))


@pytest.mark.parametrize(
    ("name", "depth", "path"),
    [("a/b c.JPG", 1, "a/b c.JPG"), ("a\\b.jpg", 1, "a/b.jpg"), ("b.png", 0, "b.png")],
)
def test_images_lie_as_deep_as_they_should(line, name, depth, path):
    assert image_below(line, name, depth=depth) == PurePosixPath(path)


@pytest.mark.parametrize(
    ("name", "depth", "problem"),
    [
        ("b.jpg", 1, "expected CLASS/IMAGE, not 'b.jpg'"),
        ("a/b.jpg", 0, "expected IMAGE, not 'a/b.jpg'"),
        ("../b.jpg", 1, "expected CLASS/IMAGE"),
        ("/b.jpg", 1, "expected CLASS/IMAGE"),
        ("a/b.txt", 1, "'a/b.txt' is not an image by its name"),
        ("a/b\x07.jpg", 1, "has a control character"),
    ],
)
def test_what_is_no_image_below_the_dataset_is_refused(line, name, depth, problem):
    with pytest.raises(AttncliError, match=rf"list\.txt, line 3: .*{problem}"):
        image_below(line, name, depth=depth)
