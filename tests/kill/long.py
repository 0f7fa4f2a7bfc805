"""Kills commands for as long as you like: `uv run python tests/kill/long.py --kills 300`.

Ends with 1 where a command did not end with the same files as one that nothing interrupted.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from itertools import count
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "fuzz"))
import forks  # before whatever imports numpy
from killing import Killing, Verdict
from scenarios import SCENARIOS


def main() -> int:
    arguments = _arguments()
    forks.warm()
    until = time.monotonic() + arguments.seconds
    names = arguments.only or list(SCENARIOS)
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="kill.") as made:
        for number, name in enumerate(names):
            if time.monotonic() > until:
                break
            killing = Killing(SCENARIOS[name], Path(made) / name)
            share = arguments.kills // len(names) + (number < arguments.kills % len(names))
            verdicts += _kill(killing, share, arguments.seed, until)
            for seed in range(arguments.races):
                if time.monotonic() < until:
                    verdicts.append(killing.race(arguments.seed + seed))
    _report(verdicts)
    return int(any(verdict.problems for verdict in verdicts))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="Over all scenarios together.")
    parser.add_argument("--races", type=int, default=3, help="Calls of two at once, a scenario.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="When to stop.")
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), metavar="SCENARIO")
    return parser.parse_args()


def _kill(killing: Killing, kills: int, first_seed: int, until: float) -> list[Verdict]:
    """Run trials until there were so many kills."""
    verdicts: list[Verdict] = []
    for seed in count(first_seed):
        if sum(verdict.kills for verdict in verdicts) >= kills or time.monotonic() > until:
            break
        verdicts.append(killing.kill(seed))
    return verdicts


def _report(verdicts: list[Verdict]) -> None:
    by_problem: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        for problem in verdict.problems:
            by_problem[verdict.scenario, problem].append(verdict)
    for (scenario, problem), wrong in sorted(by_problem.items(), key=lambda item: -len(item[1])):
        print(f"\n{len(wrong)} x {scenario}: {problem}")
        print(f"    seeds {[verdict.seed for verdict in wrong[:8]]}")
        if wrong[0].stderr:
            print("      | " + wrong[0].stderr.replace("\n", "\n      | "))
    kills = sum(verdict.kills for verdict in verdicts)
    n_wrong = sum(bool(verdict.problems) for verdict in verdicts)
    print(f"\n{len(verdicts)} trials with {kills} kills, {n_wrong} wrong")


if __name__ == "__main__":
    sys.exit(main())
