"""What attncli offers: its commands, and its papers and methods by name; imports nothing heavy."""

from importlib import import_module
from typing import Any

from attncli.entries import Command, Method, Paper, Task
from attncli.papers import METHODS, NETWORKS, PAPERS

__all__ = [
    "COMMANDS",
    "METHODS",
    "NETWORKS",
    "PAPERS",
    "Command",
    "Method",
    "Paper",
    "Task",
    "load",
    "method",
    "paper",
]

COMMANDS = (
    Command("train", "Train a network or an estimator.", "attncli.commands.train", is_group=True),
    Command(
        "eval", "Score trained networks and write attention maps.", "attncli.commands.evaluate"
    ),
    Command("runs", "List runs with their stored figures.", "attncli.commands.runs"),
    Command(
        "predict",
        "Say which classes your own videos or pictures show.",
        "attncli.commands.predict",
    ),
    Command("entropy", "Measure how sharp attention maps are.", "attncli.commands.entropy"),
    Command("segment", "Find instance masks in every frame of videos.", "attncli.commands.segment"),
    Command(
        "refine-seeds",
        "Refine seeds of images: PSA, dense CRF, SSDD.",
        "attncli.commands.refine_seeds",
        is_group=True,
    ),
    Command(
        "svd-fc",
        "Extract transfer features of images: SVD-FC, SVD-CAM, MPN-CBP.",
        "attncli.commands.svd_fc",
    ),
    Command(
        "edit-temporal",
        "Correct temporal attention by hand.",
        "attncli.commands.edit_temporal",
        is_group=True,
    ),
    Command(
        "edit-spatial",
        "Correct spatial attention by hand.",
        "attncli.commands.edit_spatial",
        is_group=True,
    ),
    Command(
        "invert-spatial",
        "Measure what spatial attention is worth by inverting it.",
        "attncli.commands.invert_spatial",
    ),
    Command("visualize", "Draw attention over frames.", "attncli.commands.visualize"),
    Command("export", "Write a network as ONNX for other programs.", "attncli.commands.export"),
    Command("toy-data", "Write a small dataset with known masks.", "attncli.commands.toy_data"),
    Command("demo", "Run a paper's whole pipeline on toy data.", "attncli.commands.demo"),
    Command(
        "doctor", "Check this machine: versions, devices, numerics.", "attncli.commands.doctor"
    ),
)


def method(name: str) -> Method:
    """Return the method called `name`.

    Raises:
        KeyError: No method has that name.
    """
    return {row.name: row for row in METHODS}[name]


def paper(key: str) -> Paper:
    """Return the paper with the short name `key`.

    Raises:
        KeyError: No paper has that name.
    """
    return {row.key: row for row in PAPERS}[key]


def load(reference: str) -> Any:
    """Import what a `module:attribute` reference names."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
