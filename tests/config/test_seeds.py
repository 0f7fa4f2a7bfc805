import pytest

from attncli.config.seeds import Background
from attncli.errors import UsageError


def test_the_background_is_a_power_unless_it_is_a_constant() -> None:
    assert Background().power == 16.0
    assert Background(background_power=4.0).power == 4.0
    assert Background(background_score=0.2).power is None


def test_two_ways_at_once_and_impossible_ones_are_refused() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        Background(background_power=4.0, background_score=0.2)
    with pytest.raises(UsageError, match="--background-score"):
        Background(background_score=1.5)
    with pytest.raises(UsageError, match="--background-power"):
        Background(background_power=-1.0)
