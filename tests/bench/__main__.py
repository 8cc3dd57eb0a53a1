"""All benchmarks, one command: a table as text and JSON, and a picture of each.

    pip install -e ".[dev,bench]"
    python -m tests.bench [--quick] [--out FOLDER] [reading] [matching] [runs] [budgets] [start] [idle] [taken]

reading   the same file through rispy and through ours; growth
matching  the same records through bib-dedupe and through ours; growth
runs      file to embedded library with services that answer at once: processor time, memory, requests; growth
budgets   against services that keep to their published rates: seconds of the clock, and how many the slowest of them needs
start     `--help` and `status`
idle      the service with nothing to do
taken     from a settled file to its item

Processor time, but for `budgets`: that needs a machine that does nothing else. --quick takes less than two minutes there.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import bench_idle, bench_matching, bench_reading, whole_runs
from tests.bench.tables import Line, Table, write_all


def main() -> None:
    """The parts that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="All benchmarks.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes, under two minutes")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder of the results")
    wanted = parser.parse_args()
    if unknown := set(wanted.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    about: Line = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processors": os.cpu_count() or 0,
        "python": platform.python_version(),
    }
    tables: list[Table] = []
    for name in wanted.parts or PARTS:
        tables.append(PARTS[name](wanted.quick))
        sys.stdout.write(tables[-1].text() + "\n")
        sys.stdout.flush()
        write_all(tables, wanted.out, about)


def _reading(quick: bool) -> Table:
    with TemporaryDirectory() as folder:
        return bench_reading.table(Path(folder), (300, 3_000) if quick else (1_000, 10_000, 100_000), 2 if quick else 5)


# Whole runs first: the system counts what this process has in memory as theirs, and the peers are large.
PARTS: Mapping[str, Callable[[bool], Table]] = {
    "start": lambda quick: whole_runs.start(3 if quick else 10),
    "runs": lambda quick: whole_runs.runs((100, 1_000) if quick else (1_000, 10_000, 100_000)),
    "budgets": lambda quick: whole_runs.budgets((200,) if quick else (1_000, 10_000)),
    "idle": bench_idle.table,
    "taken": lambda quick: bench_idle.taken(2 if quick else 10),
    "reading": _reading,
    "matching": lambda quick: bench_matching.table((300, 1_000) if quick else (1_000, 10_000, 100_000)),
}

if __name__ == "__main__":
    main()
