"""Whether this machine can do the work: packages, decoder, devices, numerics, places to write.

Each check imports what it looks at, so that a package which cannot be imported is an answer.
"""

import platform
import re
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from attncli import __version__
from attncli.machine import usable_cores
from attncli.reporting import Outcome, Row

OK, ABSENT, MISSING, FAILED = "ok", "absent", "missing", "failed"
"""It works; it is not there and need not be; it is not there and must be; it does not work."""
FRAMES = 8
EXTRA = re.compile(r"""extra *== *['"]([^'"]+)['"]""")
"""How a requirement says that it is one of an extra alone."""


def examine() -> Outcome:
    """Return one row a check, with its name, status and what was found."""
    checks = (_packages, _optional, _decoder, _devices, _numerics, _weights, _temporary_files)
    return Outcome(rows=[row for check in checks for row in _guarded(check)])


def _guarded(check: Callable[[], Iterator[Row]]) -> list[Row]:
    """Return a check's rows; a check that raises has failed, and the others go on."""
    try:
        return list(check())
    except Exception as error:
        name = check.__name__.strip("_").replace("_", " ")
        return [_row(name, FAILED, f"{type(error).__name__}: {' '.join(str(error).split())}")]


def _row(check: str, status: str, found: str) -> Row:
    return {"check": check, "status": status, "found": found}


def _packages() -> Iterator[Row]:
    yield _row("attncli", OK, __version__)
    yield _row("python", OK, f"{platform.python_version()} on {platform.platform()}")
    for name, requirement, extra in _requirements():
        if extra is None:
            yield _package(name, MISSING, f"attncli needs {requirement}")


def _optional() -> Iterator[Row]:
    yield _package("detectron2", ABSENT, "only `segment --backend detectron2` needs it")
    extras = {name: extra for name, _, extra in _requirements() if extra is not None}
    for name, extra in extras.items():
        yield _package(name, ABSENT, f'pip install "attncli[{extra}]" brings it')


def _requirements() -> Iterator[tuple[str, str, str | None]]:
    """Yield the packages that attncli names, each with the extra that it is for, if any."""
    for requirement in metadata.requires("attncli") or ():
        extra = EXTRA.search(requirement)
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        yield name, requirement, extra and extra[1]


def _package(name: str, otherwise: str, need: str) -> Row:
    try:
        return _row(name, OK, metadata.version(name))
    except metadata.PackageNotFoundError:
        return _row(name, otherwise, need)


def _decoder() -> Iterator[Row]:
    """Write a video, count its frames and read one back."""
    import av
    import numpy as np

    from attncli.data.video.reading import count_frames, read_frames, write_video

    frames = np.full((FRAMES, 32, 48, 3), 128, dtype=np.uint8)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "grey.mp4"
        write_video(path, frames, fps=25.0)
        counted = count_frames(path)
        last = read_frames(path, [FRAMES - 1], short_side_px=None)
    codec = ".".join(map(str, av.library_versions["libavcodec"]))
    found = f"PyAV {av.__version__}, libavcodec {codec}: {counted} of {FRAMES} frames"
    is_right = counted == FRAMES and abs(int(last.mean()) - 128) < 8
    yield _row("decoder", OK if is_right else FAILED, found)


def _devices() -> Iterator[Row]:
    import torch

    cores = usable_cores()
    yield _row("cpu", OK, f"{cores} cores, {torch.get_num_threads()} torch threads")
    if not torch.cuda.is_available():
        yield _row("cuda", ABSENT, "no GPU that torch can use")
    for index in range(torch.cuda.device_count()):
        gpu = torch.cuda.get_device_properties(index)
        yield _row(f"cuda:{index}", OK, f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB")


def _numerics() -> Iterator[Row]:
    import torch

    from attncli.workflows.doctor.numerics import TOLERANCES, convolution_errors

    for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
        for name, error in convolution_errors(torch.device(device)).items():
            found = f"error {error:.1e} of at most {TOLERANCES[name]:.0e}"
            yield _row(f"{name} on {device}", OK if error <= TOLERANCES[name] else FAILED, found)


def _weights() -> Iterator[Row]:
    import torch

    directory = Path(torch.hub.get_dir()) / "checkpoints"
    files = sorted(directory.iterdir()) if directory.is_dir() else []
    names = ", ".join(f"{file.name} ({file.stat().st_size / 1e6:.0f} MB)" for file in files)
    yield _row("weights cache", OK, f"{directory}: {names or 'empty'}")


def _temporary_files() -> Iterator[Row]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"attncli")
        yield _row("temporary files", OK, str(Path(file.name).parent))
