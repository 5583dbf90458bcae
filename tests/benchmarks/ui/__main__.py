"""`make bench-ui`: speed as it is felt, in a real Chromium, on a site with a million messages."""

from __future__ import annotations

import argparse
import sys
import time

from tests.benchmarks import environment

environment.set_up()

from tests.benchmarks.environment import VAR  # noqa: E402 (Django is set up first)
from tests.benchmarks.figures import table, write  # noqa: E402
from tests.benchmarks.stage import built  # noqa: E402
from tests.benchmarks.ui import measure  # noqa: E402


def main() -> int:
    """Measure, print the table and write it to var/bench-ui.json; the exit code says whether every bar is met."""
    parser = argparse.ArgumentParser(prog="make bench-ui ARGS=…", description="Measure speed as it is felt.")
    parser.add_argument("--short", action="store_true", help="10,000 messages instead of a million")
    arguments = parser.parse_args()
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {line}\n")
        sys.stderr.flush()

    with built(say, "short" if arguments.short else "usual") as stage:
        found = list(measure.measure(stage))
    sys.stdout.write(f"\n{table(found)}\n")
    write(found, VAR / "bench-ui.json")
    return 1 if any(figure.met is False for figure in found) else 0


if __name__ == "__main__":
    sys.exit(main())
