"""What the idle service costs: memory and processor time, with 1,000 files in an inbox that is looked at every five seconds.

Called as: python -m tests.bench.bench_idle [SECONDS]   (on Linux; prints one line for each kind of library)
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from tests.bench.tables import Line, Table
from tests.scene import ROOT, Scene, scene
from tests.servers.works import make_works, to_ris

FILES = 1_000
LIMITS = {"embedded": 80.0, "user": 110.0}  # megabytes
SHARE = 0.5  # per cent of one core
SETTLE = 1.0  # seconds
WORKS = make_works(60, seed=3)


def measure(library: str, seconds: float) -> Line:
    """RSS and processor time of a service that has worked one drop off, and then has nothing to do."""
    with TemporaryDirectory() as folder, scene(Path(folder), WORKS) as stage:
        crowd(stage, library)
        command = stage.command("run")
        process = subprocess.Popen(command, cwd=ROOT, env=stage.env(), stderr=subprocess.DEVNULL)
        try:
            while not (stage.inbox / "done" / "first.ris").exists():
                Event().wait(0.5)
            Event().wait(10.0)
            before = used(process.pid)
            Event().wait(seconds)
            share = (used(process.pid) - before) / seconds * 100
            return {
                "library": library,
                "files": FILES,
                "rss_mb": round(resident(process.pid), 1),
                "rss_most_mb": LIMITS[library],
                "core_percent": round(share, 3),
                "core_most_percent": SHARE,
            }
        finally:
            process.terminate()
            process.wait(30)


def table(quick: bool) -> Table:
    """Memory and share of a core, for each kind of library."""
    lines = tuple(measure(library, 10.0 if quick else 60.0) for library in LIMITS)
    return Table(
        "idle", "The service with nothing to do, 1,000 files looked at every 5 s", lines, "rss_mb", ("library",)
    )


def taken(times: int) -> Table:
    """Seconds from a file that has settled to its item in the embedded library, with sources that answer at once."""
    waited: list[float] = []
    with TemporaryDirectory() as folder, scene(Path(folder), WORKS) as stage:
        stage.write_config(inbox_poll_seconds=5.0, inbox_settle_seconds=SETTLE)
        process = subprocess.Popen(stage.command("run"), cwd=ROOT, env=stage.env(), stderr=subprocess.DEVNULL)
        try:
            for number, work in enumerate(WORKS[: times + 1]):
                (stage.inbox / f"{number}.ris").write_text(to_ris([work]))
                began = time.monotonic()
                while _held(stage) <= number:
                    Event().wait(0.02)
                waited.append(time.monotonic() - began - SETTLE)
        finally:
            process.terminate()
            process.wait(30)
    kept = sorted(waited[1:])  # the first one waits for the service's start
    line: Line = {"files": len(kept), "median s": kept[len(kept) // 2], "longest s": kept[-1]}
    return Table("taken", "From a settled file to its item", (line,), "longest s", ("files",))


def _held(stage: Scene) -> int:
    """How many items the embedded library has."""
    path = stage.folder / "library.sqlite"
    if not path.exists():
        return 0
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as sql:
        return int(sql.execute("SELECT COUNT(*) FROM items WHERE parent IS NULL OR parent = ''").fetchone()[0])
    return 0


def crowd(stage: Scene, library: str) -> None:
    """An inbox that is full of files which never settle, beside one with a drop to begin with."""
    stage.write_config(library, inbox_poll_seconds=5.0)
    with stage.config.open("a") as config:
        config.write('[inbox.crowd]\npath = "crowd"\npoll_seconds = 5\nsettle_seconds = 86400\n')
    (stage.folder / "crowd").mkdir()
    for number in range(FILES):
        (stage.folder / "crowd" / f"export {number:04}.ris").write_text(to_ris(WORKS[number % 60 : number % 60 + 1]))
    (stage.inbox / "first.ris").write_text(to_ris(WORKS))


def resident(pid: int) -> float:
    """Megabytes in memory."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000


def used(pid: int) -> float:
    """Seconds of processor time, of the process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure each kind of library."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    for library in LIMITS:
        print(json.dumps(measure(library, seconds)), flush=True)  # noqa: T201 (it is a command)


if __name__ == "__main__":
    main()
