from pathlib import Path

import pytest

from attncli.errors import UsageError
from attncli.files.features import FeatureDirectory
from attncli.workflows.visualize.source_classes import SourceClasses, source_classes

SOURCES = {
    "I": {"weights": "imagenet", "classes": 1000},
    "P": {"weights": "/p.pth", "classes": 365},
    "R": {"weights": "/run", "classes": 2, "class_names": ["cat", "dog"]},
}


def classes(*wishes, sources=("I", "P", "R")):
    about = {"sources": {name: SOURCES[name] for name in sources}}
    features = FeatureDirectory(
        Path("f"), (), (), (), (), "none", tuple(sources), (), ("cam",), about, (), (), ()
    )
    return source_classes(features, wishes)


def wished(*wishes, sources=("I", "P", "R")):
    return [one.wished for one in classes(*wishes, sources=sources).values()]


def test_classes_are_called_as_the_run_or_imagenet_calls_them_or_by_their_number():
    found = classes()
    assert [found["I"].name(n) for n in (0, 1, 999)] == ["tench", "goldfish", "toilet tissue"]
    assert (found["P"].name(3), found["R"].name(1)) == ("class 3", "dog")


def test_names_that_are_not_as_many_as_classes_are_left_out():
    SOURCES["X"] = {"weights": "efficientnet-lite0", "classes": 10}
    assert classes(sources=("X",))["X"] == SourceClasses(10)


def test_a_class_is_of_all_sources_or_of_one():
    assert wished() == [None, None, None]
    assert wished("1") == [1, 1, 1]
    assert wished("I=goldfish", "R=dog", "P=7") == [1, 7, 1]
    assert wished("P=7") == [None, 7, None]


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (("Q=1",), "--source-class: no such source: 'Q'; name one of I, P, R"),
        (("1", "I=2"), "--source-class: names two classes for I; name one"),
        (("P=365",), "--source-class: no such class: 365; name one from 0 to 364"),
        (("P=pier",), "must be a number, as names of classes are not known, not 'pier'; name"),
        (
            ("I=goldfisch",),
            "--source-class: no such name: 'goldfisch' in the runs; there is goldfish",
        ),
        (("I=-1",), "--source-class: no such name: '-1'"),
    ],
)
def test_a_class_that_is_not_there_is_refused(wishes, message):
    with pytest.raises(UsageError, match=message):
        classes(*wishes)
