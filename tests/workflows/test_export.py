import json
from pathlib import Path

import numpy as np
import pytest

from attncli.config.export import ExportCall
from attncli.errors import MissingDependencyError, UsageError
from attncli.reporting import Silent
from attncli.workflows import export as workflow
from attncli.workflows.export import TOLERANCE, export
from attncli.workflows.predict.model import load
from tests.support.runs import make_run


@pytest.mark.slow
@pytest.mark.parametrize("method", ["abn", "cam", "convlstm-ram"])
def test_the_file_answers_as_the_network_does(tmp_path: Path, method: str) -> None:
    pytest.importorskip("onnxscript")
    import onnxruntime

    given = {"fold": 1} if method == "convlstm-ram" else {}
    run = make_run(tmp_path / "run", method, tmp_path / "data.csv", ("Hop", "Run"), **given)
    file = tmp_path / "run.onnx"
    (row,) = export(ExportCall(run=run, onnx=file), reporter=Silent()).rows
    assert row["difference"] <= TOLERANCE
    session = onnxruntime.InferenceSession(str(file))
    known = session.get_modelmeta().custom_metadata_map
    assert json.loads(known["method"]) == method
    assert json.loads(known["classes"]) == ["Hop", "Run"]
    shape = (4, *session.get_inputs()[0].shape[1:])
    frames = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    named = dict(
        zip(
            [output.name for output in session.get_outputs()],
            session.run(None, {"frames": frames}),
            strict=True,
        )
    )
    answer = load(run, device="cpu")(np.moveaxis(frames, 1, -1), cut=False)
    np.testing.assert_allclose(named["scores"], answer.scores, atol=TOLERANCE)
    if answer.spatial is not None:
        np.testing.assert_allclose(named["spatial"], answer.spatial, atol=TOLERANCE)


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "find_spec", lambda name: None)
    call = ExportCall(run=tmp_path, onnx=tmp_path / "a.onnx")
    with pytest.raises(MissingDependencyError, match=r"onnxscript.*attncli\[onnx\]"):
        export(call, reporter=Silent())


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.onnx"):
        ExportCall(run=tmp_path, onnx=tmp_path / "a.pt")
