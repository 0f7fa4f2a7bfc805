"""`python -m attncli`, and the script `attncli`."""

import sys

from attncli.cli import run


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
