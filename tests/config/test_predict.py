from pathlib import Path

import pytest

from attncli.config.predict import OverlayCall, PredictCall
from attncli.errors import UsageError


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="--top"):
        PredictCall(run=Path("r"), files=(Path("a"),), top=0)
    with pytest.raises(UsageError, match="--opacity"):
        OverlayCall(opacity=1.5)
