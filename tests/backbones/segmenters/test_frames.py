import pytest

from attncli.backbones.segmenters.frames import check_classes
from attncli.errors import UsageError


def test_known_classes_pass():
    check_classes(["dog"], ["person", "dog"])
    check_classes([], ["person"])


def test_an_unknown_class_is_named_with_those_like_it():
    with pytest.raises(UsageError, match=r"--classes: no such class: 'persn'; did you mean 'pers"):
        check_classes(["dog", "persn"], ["person", "dog"])


def test_a_class_like_no_other_gets_the_whole_list():
    with pytest.raises(UsageError, match="there are person, dog"):
        check_classes(["xylophone"], ["person", "dog"])
