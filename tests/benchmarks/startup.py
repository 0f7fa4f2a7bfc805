"""How long a key press takes: `attncli --help` and completion against `import torch`.

Run it on an idle machine: `uv run python tests/benchmarks/startup.py`. It answers with JSON.
"""

import json
import os
import statistics
import subprocess
import sys
import time

REPEATS = 7
ATTNCLI = [sys.executable, "-m", "attncli"]
COMPLETE = {
    "_ATTNCLI_COMPLETE": "complete_bash",
    "COMP_WORDS": "attncli train object-abn --ma",
    "COMP_CWORD": "3",
}
CALLS: dict[str, tuple[list[str], dict[str, str]]] = {
    "import torch": ([sys.executable, "-c", "import torch"], {}),
    "attncli --help": ([*ATTNCLI, "--help"], {}),
    "attncli train object-abn --help": ([*ATTNCLI, "train", "object-abn", "--help"], {}),
    "completion of an option": (ATTNCLI, COMPLETE),
}


def seconds(words: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(words, env=os.environ | environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    times = {name: [] for name in CALLS}
    for _ in range(REPEATS):  # one after the other, so that a busy machine slows all of them
        for name, call in CALLS.items():
            times[name].append(seconds(*call))
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = [
        {"call": name, "seconds": round(value, 3), "ratio": value / medians["import torch"]}
        for name, value in medians.items()
    ]
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
