from attncli.evaluation.asked import Asked


def test_a_class_is_named_by_its_position_and_an_unknown_one_is_nameless():
    asked = Asked(samples=(), classes=("cat", "dog"))
    assert [asked.class_name(label) for label in (0, 1, -1)] == ["cat", "dog", ""]


def test_by_itself_nothing_is_kept_and_all_classes_are_scored_together():
    asked = Asked(samples=(), classes=("cat",))
    assert (asked.attention, asked.weights, asked.keep, asked.apart) == ((), None, None, None)
