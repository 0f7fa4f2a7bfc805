import json
import platform
import sys
from importlib.metadata import version

import pytest
import torch

from attncli import __version__
from attncli.workflows.runs.environment import describe_environment

CPU = torch.device("cpu")


def test_the_versions_are_those_of_what_is_installed() -> None:
    found = describe_environment(CPU, processes=3)
    assert found["attncli"] == __version__
    assert found["torch"] == version("torch")
    assert {"torchvision", "numpy", "av"} <= found.keys()
    assert str(found["python"]).split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert (found["processes"], found["device"]) == (3, platform.processor())
    assert json.loads(json.dumps(found)) == found  # as `environment.json` keeps it


def test_the_threads_are_those_that_compute() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert describe_environment(CPU, processes=1)["threads"] == 2
    finally:
        torch.set_num_threads(before)


def test_the_command_can_be_given_again_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["train", "abn", "--data", "my videos/it's", "-o", "runs/$HOME"]
    monkeypatch.setattr(sys, "argv", ["/usr/bin/attncli", *words])
    found = describe_environment(CPU, processes=1)
    assert found["command"] == ("""attncli train abn --data 'my videos/it'"'"'s' -o 'runs/$HOME'""")


def test_a_gpu_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {torch.device("cuda", 1): "The second GPU"}
    monkeypatch.setattr(torch.cuda, "get_device_name", names.__getitem__)
    assert describe_environment(torch.device("cuda", 1), processes=2)["device"] == "The second GPU"
