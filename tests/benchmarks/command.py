"""The measurements in their order, what is said while they run, and what is left of them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator

from tests.benchmarks import burst, crowds, fanout, idle, posts, storm, volume, writers
from tests.benchmarks.answering import raise_file_limit
from tests.benchmarks.environment import VAR
from tests.benchmarks.figures import Figure, table, write
from tests.benchmarks.stage import Stage, built

Measure = Callable[[Stage], Iterator[Figure]]

MEASURES: dict[str, Measure] = {
    "fanout": fanout.measure,
    "burst": burst.measure,
    "idle": idle.measure,
    "posts": posts.measure,
    "writers": writers.measure,
    "storm": storm.measure,
    "volume": volume.measure,
}
ONLY_IN_FULL: dict[str, Measure] = {"crowds": crowds.measure}


def main() -> int:
    """Measure what is asked for, print the table and write it to var/bench.json."""
    arguments = _arguments()
    raise_file_limit()
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {line}\n")
        sys.stderr.flush()

    names = arguments.only or [*MEASURES, *(ONLY_IN_FULL if arguments.full else ())]
    found: list[Figure] = []
    with built(say, is_full=arguments.full) as stage:
        for name in names:
            say(f"{name} …")
            for figure in (MEASURES | ONLY_IN_FULL)[name](stage):
                found.append(figure)
                say(f"    {figure}")
    sys.stdout.write(f"\n{table(found)}\n")
    write(found, VAR / "bench.json")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description="Measure speed and memory.")
    parser.add_argument("--only", action="append", choices=MEASURES | ONLY_IN_FULL, help="only this; may be repeated")
    parser.add_argument("--full", action="store_true", help="thousands of streams, a million messages; 15 minutes")
    return parser.parse_args()
