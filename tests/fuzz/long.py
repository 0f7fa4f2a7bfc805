"""Fuzzes the command line: `uv run python tests/fuzz/long.py --cases 10000 --jobs 2`.

A case is a format and a seed, and always the same: `--only avi --seed 12` repeats one alone and
keeps the tree it was run in. Ends with 1 where a case was judged wrong.
"""

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import forks  # before whatever imports numpy
from formats import FORMATS
from harness import Harness, Verdict
from specimens import make_specimens

SEEDS_APART = 1_000_000
SHOWN = 3


def main() -> int:
    arguments = _arguments()
    forks.warm()
    with tempfile.TemporaryDirectory(prefix="fuzz.") as made:
        root = arguments.keep or Path(made)
        specimens = root / "specimens"
        if not specimens.exists():
            make_specimens(specimens)
        if arguments.only and arguments.cases is None:
            return _repeat(Harness(specimens, root / "case"), arguments.only, arguments.seed)
        verdicts: list[Verdict] = []
        if arguments.prove:
            verdicts += Harness(specimens, root / "case").prove()
        names = arguments.only or list(FORMATS)
        cases = [
            (names[n % len(names)], arguments.seed * SEEDS_APART + n // len(names))
            for n in range(arguments.cases or 0)
        ]
        verdicts += _run_side_by_side(root, cases, arguments.jobs, arguments.seconds)
    _report(verdicts)
    return int(any(verdict.problems for verdict in verdicts))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, help="How many; with --only alone: a single one.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="Cases run side by side.")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="When to stop.")
    parser.add_argument("--only", nargs="+", choices=sorted(FORMATS), metavar="FORMAT")
    parser.add_argument("--prove", action="store_true", help="Run the intact specimens first.")
    parser.add_argument("--keep", type=Path, help="Directory of specimens and cases that stays.")
    return parser.parse_args()


def _run_side_by_side(
    root: Path, cases: list[tuple[str, int]], jobs: int, seconds: float
) -> list[Verdict]:
    """Share the cases among processes, each of which forks off one case after the other."""
    until = time.monotonic() + seconds
    files = [root / f"verdicts{job}.jsonl" for job in range(jobs)]
    sys.stdout.flush()
    workers = []
    for job, file in enumerate(files):
        if not (pid := os.fork()):
            code = 1
            try:
                harness = Harness(root / "specimens", root / f"case{job}")
                _run_in_turn(harness, cases[job::jobs], file, until)
                code = 0
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        workers.append(pid)
    endings = [os.waitpid(pid, 0)[1] for pid in workers]
    if any(endings):
        raise RuntimeError("a process that runs cases has failed; see above")
    lines = [line for file in files for line in file.read_text().splitlines()]
    return [_verdict(json.loads(line)) for line in lines]


def _verdict(record: dict[str, Any]) -> Verdict:
    tuples = {name: tuple(record[name]) for name in ("words", "problems")}
    return Verdict(**(record | tuples))


def _run_in_turn(
    harness: Harness, cases: Iterable[tuple[str, int]], file: Path, until: float
) -> None:
    with file.open("w") as lines:
        for name, seed in cases:
            if time.monotonic() > until:
                return
            lines.write(json.dumps(asdict(harness.run(name, seed))) + "\n")
            lines.flush()


def _repeat(harness: Harness, names: list[str], seed: int) -> int:
    harness_verdicts = [harness.run(name, seed) for name in names]
    for verdict in harness_verdicts:
        print(json.dumps(asdict(verdict), indent=2))
    return int(any(verdict.problems for verdict in harness_verdicts))


def _report(verdicts: list[Verdict]) -> None:
    """Print wrong cases by what is wrong, most frequent first, and what was taken as whole."""
    by_problem: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        for problem in verdict.problems:
            by_problem[problem, verdict.cause].append(verdict)
    for (problem, cause), wrong in sorted(by_problem.items(), key=lambda item: -len(item[1])):
        print(f"\n{len(wrong)} x {problem}\n    raised at {cause or '?'}")
        formats = Counter(verdict.format for verdict in wrong)
        print("    formats:", ", ".join(f"{name} {n}" for name, n in formats.most_common()))
        for verdict in wrong[:SHOWN]:
            print(f"    ({verdict.format}, {verdict.mutation}, {verdict.seed})", end="")
            print(f" attncli {shlex.join(verdict.words)}")
        print("      | " + wrong[0].stderr[-700:].replace("\n", "\n      | "))
    print(*_lengths(verdicts), sep="\n")
    codes = Counter(verdict.code for verdict in verdicts)
    n_wrong = sum(bool(verdict.problems) for verdict in verdicts)
    slowest = max(verdicts, key=lambda verdict: verdict.seconds, default=None)
    print(f"\n{len(verdicts)} cases, {n_wrong} wrong; exit codes {dict(sorted(codes.items()))}")
    if slowest:
        print(f"slowest: {slowest.format} {slowest.seed}, {slowest.seconds:.1f} s")


def _lengths(verdicts: list[Verdict]) -> Iterator[str]:
    """Yield how often a damaged video was taken as whole though it is shorter, or longer."""
    cases: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.length in ("shorter", "longer"):
            cases[verdict.length, verdict.format, verdict.mutation].append(verdict.seed)
    yield "\ntaken as whole though shorter or longer:"
    for (length, name, mutation), seeds in sorted(cases.items(), key=lambda item: -len(item[1])):
        yield f"    {length}: {name}, {mutation}: {len(seeds)} (seeds {seeds[:5]})"
    whole = Counter(verdict.length for verdict in verdicts if verdict.length)
    yield f"    of videos that were taken: {dict(whole)}"


if __name__ == "__main__":
    sys.exit(main())
