"""Write the network of a run as an ONNX file that answers as the network does.

Input `frames`: RGB values 0-255 (uint8), clips (batch, 3, frames, rows, columns), of runs on images
(batch, 3, rows, columns), already cut; the file normalises them. Outputs: `scores`, probabilities
(batch, classes); `spatial` (batch, frames, rows, columns) and `temporal` (batch, frames) where the
network has such attention; of runs on images `maps`, the class activation maps as they leave the
network (batch, classes, rows, columns). The number of clips or images in a batch is free.

What is known of the run is in the file's metadata, each value as JSON: `method`, `classes`,
`normalisation`, `sampling` (how clips are cut), `weights_sha256`, `attncli_version`.
"""

import json
import logging
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from attncli import __version__, catalog
from attncli.config.export import ExportCall
from attncli.errors import AttncliError, MissingDependencyError
from attncli.files.atomic import replacing
from attncli.files.checkpoints import load_weights, read_weights
from attncli.files.hashes import sha256_of
from attncli.files.outputs import claim_file
from attncli.files.runs import Run
from attncli.reporting import Outcome, Reporter, Row
from attncli.workflows.predict.kinds import open_run
from attncli.workflows.runs.network import weights_of

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
TOLERANCE = 1e-4
"""Greatest difference between the file's answers and the network's that is taken for rounding."""
IN_A_CHECK = 3
"""Inputs of the check: another number than the exporter saw, so that the batch is really free."""
TRACED = 2
"""Inputs that the exporter sees."""


class _ClipNetwork(nn.Module):
    """A network for clips with plain outputs."""

    def __init__(self, network: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self.names = names

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network(frames)
        found = {"scores": outputs.scores.softmax(dim=1)}
        found |= {"spatial": outputs.spatial_attention, "temporal": outputs.temporal_attention}
        return tuple(found[name] for name in self.names)


class _ImageNetwork(nn.Module):
    """A network for images with plain outputs."""

    names = ("scores", "maps")

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        maps = self.network.class_maps(frames)
        return maps.mean((2, 3)).sigmoid(), maps


def export(
    call: ExportCall, *, dry_run: bool = False, overwrite: bool = False, reporter: Reporter
) -> Outcome:
    """Write the network of a run as ONNX, and make sure that the file answers as the network does.

    Args:
        call: Which run, and where to.
        dry_run: Say what would be written, and touch nothing.
        overwrite: An earlier file may go.
        reporter: Told what is done.

    Returns:
        One row: the file, its input and outputs, and the greatest difference between its answers
        and the network's on random inputs.

    Raises:
        MissingDependencyError: A package of the extra `onnx` is not there.
        UsageError: The run has no network that tells classes.
        AttncliError: Weights or file cannot be used, the network has a part that ONNX cannot say,
            or the file answers otherwise.
    """
    require_packages()
    run = open_run(call.run)
    weights = weights_of(run, call.checkpoint)
    shape = _input_shape(run, call.size_px)
    row: Row = {
        "run": str(call.run),
        "method": run.method,
        "onnx": str(call.onnx),
        "input": ",".join(["batch", *map(str, shape)]),
    }
    claim_file(call.onnx, overwrite=overwrite, dry_run=dry_run)
    if dry_run:
        return Outcome(rows=[row])
    network = _plain(run, weights)
    reporter.note(f"writing {run.method} as ONNX, which takes a while")
    with replacing(call.onnx) as temporary:
        _write(network, shape, _metadata(run, weights), temporary, where=call.run)
        difference = _greatest_difference(network, shape, temporary, where=call.run)
    reporter.note(f"wrote {call.onnx}; greatest difference from the network {difference:.2g}")
    row |= {"outputs": ",".join(network.names), "difference": difference}
    return Outcome(rows=[row])


def require_packages() -> None:
    """Make sure that what writes and checks ONNX files is there.

    Raises:
        MissingDependencyError: A package is not; all that are missing are named.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"ONNX needs {' and '.join(missing)}",
            where="--onnx",
            remedy="install them: pip install 'attncli[onnx]'",
        )


def _plain(run: Run, weights: Path) -> Any:
    """Return a run's network with plain outputs, unfused: fused steps are nothing ONNX knows."""
    method = catalog.method(run.method)
    build = catalog.load(method.build)
    network = build(run.config.without_published_weights(), len(run.classes)).model
    load_weights(network, read_weights(weights), where=weights)
    network.eval()
    if _is_of_images(run):
        return _ImageNetwork(network).eval()
    return _ClipNetwork(network, ("scores", *method.attention)).eval()


def _is_of_images(run: Run) -> bool:
    return not hasattr(run.config, "frames")


def _input_shape(run: Run, size_px: int | None) -> tuple[int, ...]:
    """Return the axes of one input."""
    if _is_of_images(run):
        rows, columns = run.config.crop_hw if size_px is None else (size_px, size_px)
        return 3, rows, columns
    if size_px is not None:
        raise AttncliError(
            "is about images", where="--size-px", remedy=f"leave it out for {run.method}"
        )
    return 3, *run.config.clip_shape


def _metadata(run: Run, weights: Path) -> Mapping[str, str]:
    known = {
        "method": run.method,
        "classes": list(run.classes),
        "normalisation": "in the file: give RGB values 0-255 as uint8",
        "sampling": _sampling(run),
        "weights_sha256": sha256_of(weights),
        "attncli_version": __version__,
    }
    return {name: json.dumps(value, ensure_ascii=False) for name, value in known.items()}


def _sampling(run: Run) -> Mapping[str, Any]:
    """Return how an evaluation cuts what the network is shown, by setting."""
    names = (
        *("sampling", "frames", "frame_stride", "short_videos", "val_start"),
        *("short_side_val_px", "crop_px", "clips", "clip_step", "padding"),
        *("color", "face_crop", "face_px", "margin_px"),
    )
    settings = asdict(run.config)
    return {name: settings[name] for name in names if name in settings}


def _write(
    network: Any, shape: tuple[int, ...], metadata: Mapping[str, str], path: Path, *, where: Path
) -> None:
    import onnx

    try:
        program = _exported(network, shape)
    except Exception as error:  # whatever a layer that ONNX cannot say makes the exporter raise
        what = "its network has a part that cannot be written as ONNX"
        raise AttncliError(what, where=where, remedy="use `attncli.load` in Python") from error
    model = program.model_proto
    for name, text in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, text
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _exported(network: Any, shape: tuple[int, ...]) -> Any:
    # The exporter prints and warns of its own steps, which say nothing of the network.
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.onnx.export(
                network,
                (torch.zeros(TRACED, *shape, dtype=torch.uint8),),
                input_names=["frames"],
                output_names=list(network.names),
                dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
                dynamo=True,
                verbose=False,
            )
    finally:
        logging.disable(level)


def _greatest_difference(network: Any, shape: tuple[int, ...], path: Path, *, where: Path) -> float:
    """Return the greatest difference of any output of the file from the network's, on noise.

    Raises:
        AttncliError: It is more than rounding makes.
    """
    import onnxruntime

    frames = np.random.default_rng(0).integers(0, 256, (IN_A_CHECK, *shape), dtype=np.uint8)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    answers = session.run(list(network.names), {"frames": frames})
    with torch.inference_mode():
        own = network(torch.from_numpy(frames))
    difference = max(
        float(np.abs(answer - value.numpy()).max())
        for answer, value in zip(answers, own, strict=True)
    )
    if not difference <= TOLERANCE:
        raise AttncliError(
            f"the ONNX file gives other answers than the network, by {difference:.2g}",
            where=where,
            remedy="use `attncli.load` in Python",
        )
    return difference
