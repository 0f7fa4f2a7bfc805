"""What a training ran on, for its `environment.json`."""

import platform
import shlex
import sys
from importlib.metadata import version

import torch

from attncli import __version__

VERSIONS_OF = ("torch", "torchvision", "numpy", "av")


def describe_environment(device: torch.device, *, processes: int) -> dict[str, object]:
    """Return versions, device and command line.

    Args:
        device: Where a process computes.
        processes: How many there are.
    """
    is_gpu = device.type == "cuda"
    return {
        "attncli": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in VERSIONS_OF},
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(device) if is_gpu else platform.processor(),
        "threads": torch.get_num_threads(),
        "processes": processes,
        "command": shlex.join(["attncli", *sys.argv[1:]]),
    }
