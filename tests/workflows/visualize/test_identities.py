import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import UsageError
from attncli.reporting import Silent
from attncli.workflows.visualize import identities
from tests.support.people import make_people_images, write_rankings

KEY = ("all", "I")
LINES = [("query/7", 1, "gallery/7", "7", "2", 1)]


@pytest.fixture
def draw(tmp_path):
    run = write_rankings(tmp_path / "xqda", {KEY: LINES}, {KEY: [50, 100]})
    data = make_people_images(tmp_path / "people")

    def draw(**options):
        config = VisualizeConfig(out=tmp_path / "a.png", dpi=50, data=data, **options)
        return identities.draw(config, [run], overwrite=True, reporter=Silent())

    return draw


def test_people_found_again_are_ranked_lists_or_curves_where_these_are_asked_for(draw):
    assert draw().rows[0]["query"] == "query/7"
    assert draw(show="ranked-lists").rows == draw().rows
    assert draw(show="cmc").rows[0]["rank1"] == 50


def test_other_figures_and_options_are_refused(draw):
    with pytest.raises(UsageError, match="--show table: is not of people found again; choose"):
        draw(show="table")
    with pytest.raises(UsageError, match="--range: is about attention in videos"):
        draw(value_range="clip")
