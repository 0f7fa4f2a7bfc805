"""What a new command, method or paper must bring along; each test names what is missing."""

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
from pathlib import Path

import pytest

import attncli
from attncli.catalog import COMMANDS, METHODS, load

ROOT = Path(__file__).parent.parent
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
SOURCES = sorted((ROOT / "attncli").rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in SOURCES]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(attncli.__path__, "attncli.")
    if module.name != "attncli.__main__"
)
TOP_LEVEL = {
    ".ci",
    ".figures",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "attncli",
    "completions",
    "pyproject.toml",
    "tests",
}
NOT_TESTED_BY_THEMSELVES = {
    "attncli/files/limits.py": "is a constant",
    "attncli/types.py": "is dataclasses without a method, and a protocol",
}
"""Modules without a test file of their own, each with the reason."""
LONGEST_FILE = 400
LONGEST_BODY = 50


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_every_command_has_help_with_an_example(run_cli, row):
    code, stdout, stderr = run_cli(row.name, "--help")
    assert (code, stderr) == (0, "")
    assert re.search(rf"Example: attncli {row.name}\b", stdout)


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_every_command_is_in_the_readme(row):
    assert f"attncli {row.name}" in README


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_has_settings_a_builder_and_a_readme_row(method):
    assert load(method.config).__dataclass_fields__
    assert callable(load(method.build))
    assert f"train {method.name}" in README
    assert method.paper.title in README
    assert method.example.startswith(f"attncli train {method.name} ")


def test_methods_have_names_and_settings_of_their_own():
    assert len({method.name for method in METHODS}) == len(METHODS)
    assert len({method.config for method in METHODS}) == len(METHODS)


@pytest.mark.parametrize("module", sorted({method.paper.module for method in METHODS}))
def test_every_papers_module_says_where_it_differs_and_has_tests(module):
    path = module.replace(".", "/").removeprefix("attncli/")
    assert "Differs from the paper:" in (importlib.import_module(module).__doc__ or "")
    assert list((ROOT / "tests" / path).parent.glob(f"test_{Path(path).name}*"))


@pytest.mark.parametrize(
    "path",
    [path for path in NAMES if Path(path).name != "__init__.py"],
)
def test_every_module_has_a_test_file_at_the_same_place(path):
    own = Path(path).relative_to("attncli")
    tests = ROOT / "tests" / own.with_name(f"test_{own.name}")
    said = f"{tests} is missing, or is there though {path} is said to need none"
    assert tests.is_file() != (path in NOT_TESTED_BY_THEMSELVES), said


def test_modules_that_need_no_test_file_are_there():
    assert NOT_TESTED_BY_THEMSELVES.keys() <= set(NAMES)


def test_the_newest_entry_of_the_changelog_is_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (newest, *_) = re.findall(r"^## (\S+)", changelog, flags=re.MULTILINE)
    assert newest == attncli.__version__


def test_the_top_level_holds_nothing_else():
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(listing, cwd=ROOT, text=True).splitlines()
    assert {Path(name).parts[0] for name in names} <= TOP_LEVEL


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_docstrings_hold(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, functions)]
    assert [f.name for f in found if body_lines(f) > LONGEST_BODY] == []


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how long a function is without its docstring and its arguments."""
    first = function.body[1 if ast.get_docstring(function) and function.body[1:] else 0]
    return (function.end_lineno or 0) - first.lineno + 1
