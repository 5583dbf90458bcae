"""`make trust`: run what shows who may do what, and write its numbers into SECURITY.md, between the two marks.

`python -m tests.trust --from a.xml b.xml` writes those of runs that have been made (`pytest --junit-xml`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "SECURITY.md"
BEGIN, END = "<!-- written by make trust -->", "<!-- until here -->"
RUN = (
    *("tests/trust", "tests/rules", "tests/project/test_request_limits.py", "tests/project/test_cleaning.py"),
    *("tests/realtime/test_sse.py", "tests/rooms/test_channels.py", "tests/messaging/test_markup.py"),
    *("tests/messaging/test_revocation_races.py", "tests/files/test_images.py", "tests/browser/test_canaries.py"),
    "tests/invites/test_accepting.py",
)
LONG = {"EARSHOT_TRUST_TIMES": "30", "EARSHOT_TRUST_INPUTS": "all"}


class Found:
    """What runs have shown, as their reports in JUnit's form tell it."""

    def __init__(self, *reports: Path) -> None:
        roots = [ElementTree.parse(report).getroot() for report in reports]  # noqa: S314
        cases = [case for root in roots for case in root.iter("testcase")]
        self.names = [f"{case.get('classname')}.{case.get('name')}" for case in cases]
        self.failed = [
            name
            for name, case in zip(self.names, cases, strict=True)
            if case.find("failure") is not None or case.find("error") is not None
        ]
        self.properties: defaultdict[str, list[str]] = defaultdict(list)
        for each in (each for case in cases for each in case.iter("property")):
            self.properties[str(each.get("name"))].append(str(each.get("value")))

    def count(self, *words: str) -> int:
        return sum(all(word in name for word in words) for name in self.names)

    def total(self, name: str) -> str:
        numbers = [int(value) for value in self.properties[name]]
        return f"{sum(numbers):,}" if numbers else "not measured"

    def said(self, name: str) -> str:
        """Return what was measured last, or that it was not."""
        return self.properties[name][-1] if self.properties[name] else "not measured"

    def most(self, name: str) -> str:
        return max(self.properties[name], key=float, default="not measured")


def table(found: Found) -> str:
    rows = {
        "cells of the authorization matrix": f"{found.count('test_cell['):,}",
        "actions that tell nobody of an unknown room": f"{found.count('test_oracle', 'never_was'):,}",
        "bad inputs made for every form, address and parameter": found.total("inputs"),
        "broken images": found.total("mutations"),
        "malformed requests to the server's parser": f"{found.count('test_request_limits'):,}",
        "rights ended with a stream open": found.said("revocations"),
        "until the stream is closed, 99 %": f"{found.said('revocation_p99_ms')} ms",
        "worst text or form, time of the server": f"{found.said('worst_input_ms')} ms ({found.said('worst_input')})",
        "all of those together, memory of the server": f"{found.said('worst_inputs_memory_mb')} MB",
        "taken of 400 MB that nobody asked for, at most": f"{found.said('endless_taken_kb')} KB",
        "memory of the server for all of those": f"{found.said('endless_memory_mb')} MB",
        "known and unknown addresses, apart in work at most": f"{found.most('timing_ms')} ms",
        "canaries planted for a browser to run": found.said("canaries"),
        "of them run; breaches of the content policy": f"{found.said('canaries_run')}; {found.said('policy_breaches')}",
    }
    lines = ["| what | how much |", "| --- | ---: |", *(f"| {what} | {how} |" for what, how in rows.items())]
    return "\n".join(lines)


def written(page: str, found: Found) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    state = "all passed" if not found.failed else f"{len(found.failed)} FAILED"
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    sentence = f"{len(found.names):,} tests on {day}, {state}."
    return f"{before}{BEGIN}\n\n{sentence}\n\n{table(found)}\n\n{END}{after}"


def main() -> int:
    if sys.argv[1:2] == ["--from"]:
        PAGE.write_text(written(PAGE.read_text(), Found(*map(Path, sys.argv[2:]))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *RUN, *sys.argv[1:]]
        code = subprocess.run(command, cwd=TOP, env={**os.environ, **LONG}, check=False).returncode
        if not report.exists():
            return code
        PAGE.write_text(written(PAGE.read_text(), Found(report)))
    return code


if __name__ == "__main__":
    sys.exit(main())
