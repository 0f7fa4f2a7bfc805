from pathlib import Path

import pytest

from attncli.config.export import ExportCall
from attncli.errors import UsageError


def test_sizes_and_names_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="--size-px"):
        ExportCall(run=Path("r"), onnx=Path("a.onnx"), size_px=0)
    with pytest.raises(UsageError, match="--onnx"):
        ExportCall(run=Path("r"), onnx=Path("a"))
