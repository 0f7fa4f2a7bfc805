"""Kills commands at random moments, lets them go on, and compares what they end with."""

import random
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import forks
from comparison import broken, differences
from scenarios import Scenario

LIMIT_SEC = 300
KILLS_A_TRIAL = 4
LATE = 0.75
"""Share of a command's time after which half of the kills come: it writes its outputs then."""
ALONE = 0.3
"""Share of kills after which the processes that read for the killed one live on a while."""
NOISE = re.compile(r"Traceback \(most|internal error|\w*Warning: |Exception ignored|Fatal Python")
HELD = re.compile(r"attncli: error: .*(written|held|used) by (another )?process")


@dataclass(frozen=True)
class Verdict:
    """What came of one trial."""

    scenario: str
    seed: int
    kills: int
    problems: tuple[str, ...]
    stderr: str = ""


class Killing:
    """Trials of one scenario.

    Every trial works in the same directory, `root/work`, as outputs hold absolute paths.
    """

    def __init__(self, scenario: Scenario, root: Path) -> None:
        self.scenario = scenario
        self._work, self._prepared = root / "work", root / "prepared"
        self._reference = root / "reference"
        shutil.rmtree(root, ignore_errors=True)
        self._work.mkdir(parents=True)
        scenario.prepare(self._work)
        shutil.copytree(self._work, self._prepared)
        begun = time.monotonic()
        answer = forks.run(scenario.words, self._work, LIMIT_SEC)
        self.seconds = time.monotonic() - begun
        if answer.code:
            raise RuntimeError(f"{scenario.name} fails by itself:\n{answer.stderr}")
        self._work.rename(self._reference)

    def kill(self, seed: int) -> Verdict:
        """Kill the command a few times, then let it end, and judge all it left."""
        chance = random.Random(f"{self.scenario.name}:{seed}")
        shutil.copytree(self._prepared, self._work)
        problems: list[str] = []
        orphaned: list[forks.Fork] = []
        kills, answer = 0, None
        for _ in range(KILLS_A_TRIAL):
            fork = forks.Fork(self.scenario.words, self._work, LIMIT_SEC)
            if not fork.runs(self._moment(chance)):
                answer = fork.wait()
                if not kills:  # a better measure than the first call's
                    self.seconds = min(self.seconds, answer.seconds)
                break
            is_alone = self.scenario.has_readers and chance.random() < ALONE
            fork.kill(alone=is_alone)
            fork.wait(others_live=is_alone)  # else it would stay in the list of processes
            orphaned += [fork] * is_alone
            kills += 1
            problems += [f"after a kill: {problem}" for problem in self._harm()]
        if answer is None:
            answer = forks.run(self.scenario.words, self._work, LIMIT_SEC)
        for fork in orphaned:
            fork.kill()
        problems += self._judge(answer)
        problems += differences(self._output, self._reference / self.scenario.output)
        shutil.rmtree(self._work)
        name, stderr = self.scenario.name, _end(answer.stderr)
        return Verdict(name, seed, kills, tuple(dict.fromkeys(problems)), stderr)

    def race(self, seed: int) -> Verdict:
        """Call the command twice at the same time, and judge both."""
        chance = random.Random(f"{self.scenario.name}:race:{seed}")
        shutil.copytree(self._prepared, self._work)
        words = self.scenario.words
        one = forks.Fork(words, self._work, LIMIT_SEC)
        one.runs(chance.choice((0, chance.uniform(0, self.seconds))))
        other = forks.Fork(words, self._work, LIMIT_SEC)
        answers = [one.wait(), other.wait()]
        problems = [problem for answer in answers for problem in self._judge(answer, may_wait=True)]
        if all(answer.code for answer in answers):
            problems.append("of two at once none ends")
        problems += differences(self._output, self._reference / self.scenario.output)
        shutil.rmtree(self._work)
        stderr = "\n".join(_end(answer.stderr) for answer in answers if answer.code)
        name = f"{self.scenario.name}, two at once"
        return Verdict(name, seed, 0, tuple(dict.fromkeys(problems)), stderr)

    @property
    def _output(self) -> Path:
        return self._work / self.scenario.output

    def _moment(self, chance: random.Random) -> float:
        earliest = chance.choice((0.0, LATE))
        return self.seconds * chance.uniform(earliest, 1.0)

    def _harm(self) -> Iterator[str]:
        """Yield what a kill has broken: no file may be half, and what was there must stay."""
        if self._output.exists():
            yield from broken(self._output)
        if self.scenario.stays:
            place = self._work / self.scenario.stays
            if not place.exists():
                yield f"{self.scenario.stays} was there, and is gone"
            else:
                yield from differences(place, self._reference / self.scenario.stays)
        masks = self.scenario.output == "masks"
        for file in self._output.rglob("[!.]*.jsonl") if masks else ():
            expected = self._reference / file.relative_to(self._work)
            if file.read_bytes() != expected.read_bytes():
                yield f"{file.name} is other than it will be"

    def _judge(self, answer: forks.Answer, *, may_wait: bool = False) -> Iterator[str]:
        if answer.is_late:
            yield f"does not end in {LIMIT_SEC} s"
        elif found := NOISE.search(answer.stderr):
            lines = answer.stderr.splitlines()
            line = next(text for text in lines if found[0] in text)
            yield f"on stderr: {re.sub('[0-9]+', 'N', line)[:160]}"
        elif answer.code and not (may_wait and HELD.search(answer.stderr)):
            last = answer.stderr.splitlines()[-1:] or [""]
            yield f"ends with {answer.code}: {re.sub('[0-9]+', 'N', last[0])[:160]}"


def _end(stderr: str) -> str:
    return "\n".join(stderr.splitlines()[-8:])[-1500:]
