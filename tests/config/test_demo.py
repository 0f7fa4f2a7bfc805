import dataclasses

from attncli.catalog import METHODS, PAPERS, load
from attncli.config.demo import DEMOS, DemoConfig
from attncli.workflows.demo.running import OWN, demo_of


def test_every_paper_of_a_method_is_in_the_catalog():
    assert {method.paper.key for method in METHODS} <= {paper.key for paper in PAPERS}


def test_every_demo_has_only_settings_that_can_be_given():
    for paper in PAPERS:
        if paper.demo:
            own = {field.name for field in dataclasses.fields(load(paper.demo))}
            assert own - {"out", "seeds", "resume"} <= set(OWN)
    assert set(OWN) <= {field.name for field in dataclasses.fields(DemoConfig)}


def test_a_demo_has_the_settings_of_its_paper_but_for_those_that_were_given():
    for key in DEMOS:
        usual = demo_of(DemoConfig(paper=key), resume=False)
        given = demo_of(DemoConfig(paper=key, epochs=1, seeds=2), resume=True)
        assert given == dataclasses.replace(usual, epochs=1, seeds=2, resume=True)
