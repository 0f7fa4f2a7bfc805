"""`python -m attncli`, and the script `attncli`."""

import os
import sys

from attncli.cli import run


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # Threads that spin while they wait take the cores from the processes that read clips, and on a
    # shared machine make a step ten times slower; OpenMP reads this when torch loads it.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    sys.exit(run())


if __name__ == "__main__":
    main()
