"""Runs one case, a mutated file and a command that reads it, and judges how that ended."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import forks
from formats import DONE, FORMATS, PARTIAL, Format
from mutations import mutate

LIMIT_SEC = 120
ERROR = "attncli: error: "
NOISE = re.compile(
    r"Traceback \(most|internal error|\w*Warning: |Exception ignored|Fatal Python error"
    r"|Segmentation fault|libpng|\[ ?WARN|@ 0x[0-9a-f]{6,}\]|Timeout \("
)
"""What nobody is to see on stderr: of Python, its libraries, FFmpeg and OpenCV."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""What a file may hold to meddle with the terminal that shows a part of it."""
KEPT = ".out.partial"
"""What `edit-temporal select` and `edit-spatial select` go on with after an error."""
KEEP_FAILURES = ("segment", "eval", "train", "refine-seeds")
"""Commands that write a `failures.jsonl`, unless they only print their plan."""


@dataclass(frozen=True)
class Verdict:
    """What came of a case."""

    format: str
    mutation: str
    seed: int
    words: tuple[str, ...]
    code: int
    seconds: float
    problems: tuple[str, ...] = ()
    """What is wrong, one line each."""
    length: str = ""
    """Of a video that was taken as whole: `same`, `shorter` or `longer`."""
    stderr: str = ""
    """Its last lines."""
    cause: str = ""
    """Where the error was raised, of a case with problems."""


@dataclass(frozen=True)
class Harness:
    """Where cases are run."""

    specimens: Path
    """Trees that `make_specimens` wrote."""
    scratch: Path
    """Directory for the copy of a tree that a case works on; it is emptied before each."""

    def run(self, name: str, seed: int) -> Verdict:
        """Run the case of a format and a seed: the same always."""
        entry, random = FORMATS[name], Random(f"{name}:{seed}")
        targets = sorted((self.specimens / entry.tree).glob(entry.target))
        target, other = random.choice(targets), random.choice(targets)
        original = target.read_bytes()
        mutation, changed = mutate(original, _other(entry, target, other), entry.kind, random)
        words = tuple(self._word(word) for word in random.choice(entry.commands))
        place = target.relative_to(self.specimens / entry.tree)
        answer = self._call(entry, place, changed, words)
        problems = list(_problems(entry, answer))
        problems += self._left_over()
        length = ""
        if entry.is_video:
            failed = str(place.parts[0] if len(place.parts) > 1 else place)
            found, length = self._judge_masks(entry, failed, answer.code)
            problems += found
        elif answer.code == PARTIAL and words[0] in KEEP_FAILURES and "--dry-run" not in words:
            problems += self._judge_failures()
        is_changed = changed != original
        if not is_changed and answer.code not in (DONE, PARTIAL):
            problems.append(f"the valid specimen ends with {answer.code}")
        cause = ""
        if problems and answer.code > 0:
            again = self._call(entry, place, changed, (*words, "--debug"))
            cause = _cause(again.stderr)
        return Verdict(
            name,
            mutation if is_changed else "nothing",
            seed,
            words,
            answer.code,
            answer.seconds,
            tuple(problems),
            length if is_changed else "",
            "\n".join(answer.stderr.splitlines()[-6:])[-1500:],
            cause or _cause(answer.stderr),
        )

    def prove(self) -> Iterator[Verdict]:
        """Run every command on its specimen as it is: none may be refused."""
        for entry in FORMATS.values():
            for command in entry.commands:
                words = tuple(self._word(word) for word in command)
                answer = self._call(entry, None, b"", words)
                problems = [*_problems(entry, answer), *self._left_over()]
                if answer.code not in (DONE, PARTIAL):
                    problems.append(f"the valid specimen ends with {answer.code}")
                end, seconds = answer.stderr[-1500:], answer.seconds
                case = (entry.name, "nothing", -1, words, answer.code, seconds)
                yield Verdict(*case, tuple(problems), stderr=end)

    def _word(self, word: str) -> str:
        return word.replace("{specimens}", str(self.specimens))

    @property
    def _tree(self) -> Path:
        return self.scratch / "tree"

    def _call(
        self, entry: Format, place: Path | None, changed: bytes, words: tuple[str, ...]
    ) -> forks.Answer:
        shutil.rmtree(self.scratch, ignore_errors=True)
        shutil.copytree(self.specimens / entry.tree, self._tree)
        if place is not None:
            (self._tree / place).write_bytes(changed)
        return forks.run(words, self._tree, LIMIT_SEC)

    def _left_over(self) -> Iterator[str]:
        for path in self.scratch.rglob(".*"):
            if path.name == KEPT:
                continue
            yield f"left behind: {_without_numbers(path.name)}"

    def _judge_failures(self) -> Iterator[str]:
        files = list(self.scratch.rglob("failures.jsonl"))
        for file in files:
            yield from _failures_problem(file)
        if not files:
            yield "exit code 3 without a failures.jsonl"

    def _judge_masks(self, entry: Format, failed: str, code: int) -> tuple[list[str], str]:
        """Compare masks with those of the intact tree."""
        problems: list[str] = []
        masks, reference = self._tree / "masks", self.specimens / entry.tree / "reference"
        for name in ("first", "last"):
            own = masks / f"{name}.jsonl"
            if not own.exists():
                problems.append("an intact video has no masks")
            elif own.read_bytes() != (reference / own.name).read_bytes():
                problems.append("an intact video has other masks")
        own = masks / "middle.jsonl"
        if code == PARTIAL:
            problems += _failures_problem(masks / "failures.jsonl")
            if own.exists():
                problems.append("a video that failed has masks")
        if code != DONE:
            return problems, ""
        if not own.exists():
            return [*problems, f"{failed}: neither masks nor a failure"], ""
        lines = len(own.read_bytes().splitlines())
        whole = len((reference / own.name).read_bytes().splitlines())
        return problems, "same" if lines == whole else "shorter" if lines < whole else "longer"


def _other(entry: Format, target: Path, other: Path) -> bytes:
    """Return a second valid file: of videos another one, else what the pattern also matches."""
    if entry.is_video:
        names = target.relative_to(target.parents[1]).parts
        near = target.with_name(target.name.replace("middle", "last"))
        far = target.parents[1] / "last" / names[-1]
        other = far if names[0] == "middle" else near
    return other.read_bytes()


def _problems(entry: Format, answer: forks.Answer) -> Iterator[str]:
    """Yield what is wrong with how a command ended, whatever it read."""
    if answer.is_late:
        yield f"hangs: did not end in {LIMIT_SEC} s"
        return
    if answer.code < 0:
        yield f"died of signal {-answer.code}"
        return
    if found := NOISE.search(answer.stderr):
        line = next(text for text in answer.stderr.splitlines() if found[0] in text)
        if "internal" in found[0]:  # the place of the cause says more than the message does
            line = ":".join(line[line.index("internal") :].split(":")[:2])
        yield f"on stderr: {_without_numbers(line)[:160]}"
    elif CONTROL.search(answer.stderr):
        yield "control characters on stderr"
    if answer.code not in entry.codes:
        yield f"exit code {answer.code}, not one of {sorted(entry.codes)}"
    errors = [line for line in answer.stderr.splitlines() if line.startswith("attncli: error:")]
    if answer.code in (1, 2, 4) and len(errors) != 1 and "internal error" not in answer.stderr:
        yield f"{len(errors)} lines of error with exit code {answer.code}"
    if answer.code in (1, 2, 4) and any(len(line) > 1000 for line in errors):
        yield "a line of error of more than 1000 characters"


def _failures_problem(file: Path) -> Iterator[str]:
    try:
        lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        records = [json.loads(line) for line in lines]
        if not all(record.keys() == {"id", "path", "error"} for record in records):
            yield "failures.jsonl holds other keys"
        if not records:
            yield "failures.jsonl is empty"
    except (OSError, ValueError) as error:
        yield f"failures.jsonl cannot be read ({type(error).__name__})"


def _cause(stderr: str) -> str:
    """Return the innermost places of attncli that a traceback names."""
    frames = re.findall(r'File "[^"]*?(attncli/[^"]+)", line (\d+)(?:, in (\w+))?', stderr)
    frames = [frame for frame in frames if frame[0] not in ("attncli/cli.py",)]
    inner = frames[:3] if "most recent call first" in stderr else frames[-3:]
    return " < ".join(f"{file}:{line}" for file, line, _ in dict.fromkeys(reversed(inner)))


def _without_numbers(text: str) -> str:
    return re.sub(r"/\S+/", "…/", re.sub(r"\d+", "N", text))
