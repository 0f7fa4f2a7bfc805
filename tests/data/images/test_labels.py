import numpy as np
import pytest
from PIL import Image

from attncli.data.images.labels import labelled, read_annotation, read_label_table
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError

CLASSES = ("cat", "dog", "tv")


def annotation(*names: str) -> str:
    objects = "".join(
        f"<object><name>{n}</name><difficult>1</difficult><part><name>head</name></part></object>"
        for n in names
    )
    return f'<?xml version="1.0"?>\r\n<annotation><folder>VOC</folder>{objects}</annotation>'


@pytest.fixture
def samples(tmp_path):
    made = []
    for number, id_ in enumerate(("a", "img-7.a")):
        Image.fromarray(np.array([[0, number + 1, 255]], dtype=np.uint8)).save(
            tmp_path / f"{id_}.png"
        )
        made.append(
            ImageSample(id_, tmp_path / f"{id_}.jpg", None, label_map=tmp_path / f"{id_}.png")
        )
    (tmp_path / "Annotations").mkdir()
    return made


def labels_of(samples, tmp_path, labels="auto"):
    found, origin = labelled(samples, CLASSES, labels=labels, annotations=tmp_path / "Annotations")
    return [s.labels for s in found], origin


def test_annotations_go_before_label_maps_where_every_image_has_one(samples, tmp_path):
    (tmp_path / "Annotations" / "a.xml").write_text(annotation("dog", "tv", "dog"))
    assert labels_of(samples, tmp_path) == ([{0}, {1}], "label maps")
    (tmp_path / "Annotations" / "img-7.a.xml").write_text(annotation())
    assert labels_of(samples, tmp_path) == ([{1, 2}, set()], "annotations")
    assert labels_of(samples, tmp_path, "label-maps") == ([{0}, {1}], "label maps")


def test_images_without_an_annotation_have_no_labels_where_annotations_are_asked_for(
    samples, tmp_path
):
    (tmp_path / "Annotations" / "a.xml").write_text(annotation("dog"))
    assert labels_of(samples, tmp_path, "annotations") == ([{1}, None], "annotations")


def test_images_without_a_label_map_have_no_labels(samples, tmp_path):
    (tmp_path / "a.png").unlink()
    assert labels_of(samples, tmp_path) == ([None, {1}], "label maps")


def test_an_image_that_a_table_lacks_has_no_labels(samples, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("id,label\r\nimg-7.a,cat; tv\r\nother,dog\r\n")
    assert labels_of(samples, tmp_path, str(table)) == ([None, {0, 2}], str(table))


def test_nothing_to_take_labels_from_says_what_to_do(samples, tmp_path):
    for name in ("a.png", "img-7.a.png"):
        (tmp_path / name).unlink()
    with pytest.raises(
        AttncliError, match=r"neither annotations nor label maps.*; add Annotations"
    ):
        labels_of(samples, tmp_path)
    (tmp_path / "Annotations" / "a.xml").write_text(annotation("dog"))
    with pytest.raises(AttncliError, match="has annotations of 1 of 2 images only, and no label"):
        labels_of(samples, tmp_path)


def test_a_source_that_knows_none_of_the_images_is_refused(samples, tmp_path):
    with pytest.raises(AttncliError, match="Annotations: has no annotations for any of the images"):
        labels_of(samples, tmp_path, "annotations")
    (tmp_path / "t.csv").write_text("id,label\na.jpg,cat\n")
    with pytest.raises(AttncliError, match=r"t\.csv: has no .* for any of the images"):
        labels_of(samples, tmp_path, str(tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not valid XML"),
        ("<annotation><object>", "is not valid XML"),
        ("id,label", "is not valid XML"),
        ("<html></html>", "holds <html> instead of <annotation>"),
        (annotation("cat", "Dog"), "object of class 'Dog', which is not among the dataset's 3"),
        ("<annotation><object/></annotation>", "object of class ''"),
    ],
)
def test_what_is_no_annotation_is_named(tmp_path, text, problem):
    file = tmp_path / "a.xml"
    file.write_text(text)
    with pytest.raises(AttncliError, match=rf"a\.xml: {problem}"):
        read_annotation(file, CLASSES)


def test_a_table_may_have_a_column_a_class(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("\ufeffid,tv,cat,dog\na,1,0,1\nb,0,0,0\n")
    assert read_label_table(table, CLASSES) == {"a": {1, 2}, "b": set()}


def test_an_empty_cell_says_nothing(tmp_path):
    (tmp_path / "t.csv").write_text("id,label\na,\nb,dog;dog\n")
    assert read_label_table(tmp_path / "t.csv", CLASSES) == {"a": None, "b": {1}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"t\.csv: "),
        ("id,label\na,cow\n", r"t\.csv, line 2: class 'cow' is not among the dataset's 3"),
        ("id,label\na,cat\na,cat\n", r"t\.csv, line 3: image 'a' is listed twice"),
        ("id,cat,dog\na,1,0\n", r"t\.csv: no column 'tv'"),
        ("id,cat,dog,tv,tv\na,1,0,0,0\n", r"t\.csv: double column 'tv'"),
        ("id,cat,dog,tv,cow\na,1,0,0,0\n", r"t\.csv: unknown column 'cow'"),
        ("name,cat,dog,tv\na,1,0,0\n", r"t\.csv: its first column must be 'id'"),
        ("id,cat,dog,tv\na,1,0,2\n", r"t\.csv, line 2: '2' is neither 0 nor 1"),
        ("id,cat,dog,tv\na,1,0\n", r"t\.csv, line 2: '' is neither 0 nor 1"),
    ],
)
def test_a_malformed_table_is_named_with_the_line(tmp_path, text, problem):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(AttncliError, match=problem):
        read_label_table(tmp_path / "t.csv", CLASSES)
