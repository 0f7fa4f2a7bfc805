"""Runs the command line in forks of one process, which has imported torch once for all of them.

Each line of standard input is an order: what several processes are called with, what is set in
their environments, where their standard outputs go, and after how many seconds they are killed.
It is answered with a line of their exit codes.
"""

import json
import os
import signal
import sys
import time
from typing import Any

import attncli.workflows.train.network  # noqa: F401 - before the forks
from attncli.cli import run


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        children = [begin(call) for call in order["calls"]]
        print(json.dumps(endings(children, order["seconds"])), flush=True)


def begin(call: dict[str, Any]) -> int:
    """Return the process of a call of `attncli`."""
    if child := os.fork():
        return child
    code = 70
    try:
        os.environ |= call["environment"]
        os.dup2(os.open(call["answer"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        code = run(call["words"])
        sys.stdout.flush()
    finally:
        os._exit(code)


def endings(children: list[int], seconds: float) -> list[int]:
    """Return exit codes of processes, which are killed when their time is up."""
    end = time.monotonic() + seconds
    codes: dict[int, int] = {}
    while len(codes) < len(children):
        for child in set(children) - codes.keys():
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                codes[child] = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    return [codes[child] for child in children]


if __name__ == "__main__":
    main()
