from collections import Counter
from dataclasses import fields

import pytest

from attncli import catalog
from attncli.errors import AttncliError


@pytest.mark.parametrize(
    ("find", "rows", "key"),
    [
        (catalog.method, catalog.METHODS, "name"),
        (catalog.paper, catalog.PAPERS, "key"),
    ],
)
def test_every_row_is_found_by_a_name_that_it_alone_has(find, rows, key):
    names = [getattr(row, key) for row in rows]
    assert max(Counter(names).values()) == 1
    assert [find(name) for name in names] == list(rows)
    with pytest.raises(KeyError, match="nobody"):
        find("nobody")


def test_a_reference_is_imported():
    assert catalog.load("attncli.errors:AttncliError") is AttncliError
    with pytest.raises(AttributeError, match="Nothing"):
        catalog.load("attncli.errors:Nothing")


@pytest.mark.parametrize("method", catalog.METHODS, ids=lambda method: method.name)
def test_every_part_that_a_method_names_is_there(method):
    values = {each.name: getattr(method.task, each.name) for each in fields(method.task)}
    parts = {name: value for name, value in values.items() if isinstance(value, str)}
    for name, reference in (parts | {"config": method.config, "build": method.build}).items():
        assert callable(catalog.load(reference)), name


def test_networks_are_the_methods_that_are_shown_samples():
    named = [(one.task.source is None, one.task.evaluation is None) for one in catalog.METHODS]
    assert all(source == evaluation for source, evaluation in named)
    fitted = {one.name for one in catalog.METHODS} - {one.name for one in catalog.NETWORKS}
    assert "linear-svm" in fitted


@pytest.mark.parametrize("paper", catalog.PAPERS, ids=lambda paper: paper.key)
def test_every_paper_has_methods_of_its_own_module(paper):
    assert any(method.paper is paper for method in catalog.METHODS)
    assert paper.demo is None or callable(catalog.load(paper.demo))
