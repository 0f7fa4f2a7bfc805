"""What is wrong with a command line, in the words in which attncli says what is wrong elsewhere."""

import re
from typing import Any

import typer

_NOUNS = {
    "integer": "an integer",
    "number": "a number",
    "float": "a number",
    "boolean": "true or false",
    "path": "a path",
    "string": "a text",
}
"""What a value must be, by typer's word for it."""
_QUOTED = re.compile("'([^']*)'")


def told(error: typer.TyperException) -> str:
    """Return what is wrong, where, and what to do about it.

    Args:
        error: What typer found wrong with the words of a command line.
    """
    problem = error.format_message().strip().rstrip(".")
    context = getattr(error, "ctx", None)
    see = f"see `{context.command_path if context else 'attncli'} --help`"
    match type(error).__name__:
        case "MissingParameter":
            return _missing(getattr(error, "param", None)) or f"{problem}; {see}"
        case "BadParameter":
            where, text = _name(getattr(error, "param", None)), str(error).strip().rstrip(".")
            return f"{where}: {_bad_value(text)}; {see}" if where else f"{problem}; {see}"
        case "NoSuchOption":
            nearest = _nearest(getattr(error, "possibilities", None) or ())
            return f"{getattr(error, 'option_name', '')}: no such option{nearest}; {see}"
        case _:
            return f"{_reworded(problem)}; {see}"


def _missing(parameter: Any) -> str:
    text = re.sub(r"\s*\[[^\[\]]*\]$", "", getattr(parameter, "help", None) or "")
    remedy = f"; it is: {text}" if text else ""
    return f"{_name(parameter)}: is required{remedy}" if parameter is not None else ""


def _name(parameter: Any) -> str:
    """Return what an option or argument is called."""
    names = [name for name in getattr(parameter, "opts", ()) if name.startswith("--")]
    return names[0] if names else str(getattr(parameter, "name", None) or "")


def _bad_value(text: str) -> str:
    """Return what is wrong with a value.

    >>> _bad_value("'a' is not a valid integer"), _bad_value("'x' is not one of 'adam', 'sgd'")
    ("must be an integer, not 'a'", "must be adam or sgd, not 'x'")
    """
    text = text.removeprefix("Value error, ")
    if found := re.match(r"Input should be a valid (\w+)", text):
        return f"must be {_NOUNS.get(found[1], found[1])}"
    if found := re.fullmatch(r"(.+) is not a valid (\w+)(?: range)?", text, re.DOTALL):
        return f"must be {_NOUNS.get(found[2], found[2])}, not {found[1]}"
    if found := re.fullmatch(r"(.+) is not one of (.+)", text, re.DOTALL):
        return f"must be {' or '.join(_QUOTED.findall(found[2]))}, not {found[1]}"
    return text


def _reworded(problem: str) -> str:
    """Return a problem with words that belong to no option.

    >>> _reworded("No such command 'dmeo'. Did you mean 'demo'?")
    'dmeo: no such command (nearest: demo)'
    >>> _reworded("Got unexpected extra argument(s) (a b)")
    'a b: not expected here'
    """
    if found := re.match(r"No such command '(.*?)'(.*)", problem, re.DOTALL):
        nearest = _nearest(_QUOTED.findall(found[2]))
        return f"{found[1]}: no such command{nearest}"
    if found := re.fullmatch(
        r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", problem, re.DOTALL
    ):
        return f"{found[1]}: not expected here"
    if found := re.fullmatch(r"Option '(.*)' does not take a value", problem, re.DOTALL):
        return f"{found[1]}: takes no value"
    if found := re.fullmatch(r"Option '(.*)' requires .*", problem, re.DOTALL):
        return f"{found[1]}: needs a value"
    return "a command is missing" if problem == "Missing command" else problem


def _nearest(names: Any) -> str:
    return f" (nearest: {', '.join(sorted(names))})" if names else ""
