"""The measurements in their order, what is said while they run, and what is left of them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator

from tests.benchmarks import burst, crowds, fanout, idle, posts, storm, uploads, volume, writers
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
    "uploads": uploads.measure,
    "volume": volume.measure,
}
FULL = "thousands of streams, a million messages; 15 minutes"
CROWDS: dict[str, Measure] = {"crowds": crowds.measure}


def main() -> int:
    """Measure what is asked for, print the table and write it to var/bench.json.

    A bar that is missed is for people to see; the short form fails where something does not work.
    """
    arguments = _arguments()
    raise_file_limit()
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {line}\n")
        sys.stderr.flush()

    names = arguments.only or [*MEASURES, *({} if arguments.scale == "usual" else CROWDS)]
    found: list[Figure] = []
    with built(say, arguments.scale) as stage:
        for name in names:
            say(f"{name} …")
            for figure in (MEASURES | CROWDS)[name](stage):
                found.append(figure)
                say(f"    {figure}")
    sys.stdout.write(f"\n{table(found)}\n")
    write(found, VAR / "bench.json")
    nonsense = [figure for figure in found if figure.is_nonsense] if arguments.scale == "short" else []
    for figure in nonsense:
        sys.stderr.write(f"This can't be explained by a busy machine: {figure}\n")
    return 1 if nonsense else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description="Measure speed and memory.")
    everything = ", ".join(MEASURES | CROWDS)
    parser.add_argument("--only", type=_names, metavar="A,B", help=f"only these: {everything}")
    scale = parser.add_mutually_exclusive_group()
    sizes = {"short": "every line at a small scale, whether it works; a minute", "full": FULL}
    for size, what in sizes.items():
        scale.add_argument(f"--{size}", dest="scale", action="store_const", const=size, default="usual", help=what)
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - (MEASURES | CROWDS).keys():
        raise argparse.ArgumentTypeError(f"nothing is called {', '.join(sorted(unknown))}")
    return names
