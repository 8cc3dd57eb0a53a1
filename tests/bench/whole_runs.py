"""Whole runs of the real command, measured from outside: processor time, seconds, memory, requests.

The services stand in a process of their own (`services`); the command runs in another, whose time and memory the system counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.tables import Line, Table
from tests.servers.zotero import API_KEY, GROUP

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: seconds of processor and of the clock, megabytes at most, and what it said on stdout."""

    cpu: float
    wall: float
    megabytes: float
    said: str


class Services:
    """The stand-ins, running. first, second: RIS files whose references they know."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, urls: dict[str, str]) -> None:
        self._process, self.urls = process, urls
        self.first, self.second = folder / "first.ris", folder / "second.ris"

    def told(self) -> dict[str, Any]:
        """By service: requests, statuses, and when the first, the last and those refused came; `held`: items that Zotero has."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def services(folder: Path, count: int, *, budgets: bool = False) -> Iterator[Services]:
    """Stand-ins that know so many works. budgets: they keep to the published rates, and answer after 0.3 s."""
    words = [sys.executable, "-m", "tests.bench.services", str(count), str(folder), *(["--budgets"] if budgets else [])]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Services(process, folder, json.loads(process.stdout.readline()))
        finally:
            assert process.stdin is not None
            process.stdin.close()


def write_config(folder: Path, urls: dict[str, str], *, zotero: bool = False) -> Path:
    """A config with an embedded library, or with the group of the stand-in."""
    folder.mkdir(parents=True, exist_ok=True)
    group = f'kind = "zotero"\ntype = "group"\nid = {GROUP}\napi_key = "{API_KEY}"\nurl = "{urls["zotero"]}"'
    text = f"""
contact = "librarian@example.org"
[library.main]
{group if zotero else 'kind = "embedded"'}
[inbox.default]
[limits]
max_new_per_run = 1000000
[write]
exclusive = true
[sources.crossref]
url = "{urls["crossref"]}"
[sources.pubmed]
url = "{urls["pubmed"]}"
idconv_url = "{urls["idconv"]}"
api_key = "a-key-that-stands-for-ten-requests"
off_peak_above = 1000000
"""
    path = folder / "zotdrop.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def run(*words: str) -> Cost:
    """`zotdrop` with these words, in a process of its own. Raises RuntimeError where it does not end with 0."""
    began = time.monotonic()
    environment = {**os.environ, "NO_PROXY": "*"}
    command = [sys.executable, "-m", "sync", *words]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"zotdrop {' '.join(words)} ended with {process.returncode}: {said[-500:]}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024, said)


def _measured(line: Line) -> None:
    """A large size takes an hour: what is known by then is told, and not lost when somebody stops it."""
    sys.stderr.write(", ".join(f"{name} {value}" for name, value in line.items()) + "\n")


def outcomes(said: str) -> dict[str, int]:
    """The outcomes of a run that are not 0, of its JSON."""
    return {name: number for drop in json.loads(said)["drops"] for name, number in drop["outcomes"].items() if number}


def runs(counts: Sequence[int]) -> Table:
    """Drops of each size into an empty library, then as many others against that; services that answer at once."""
    lines: list[Line] = []
    for count in counts:
        with TemporaryDirectory() as folder, services(Path(folder), count) as there:
            config = str(write_config(Path(folder) / "home", there.urls))
            for library, file in ((0, there.first), (count, there.second)):
                cost = run("-c", config, "sync", "--json", str(file))
                if outcomes(cost.said) != {"created": count}:
                    raise RuntimeError(f"{outcomes(cost.said)} of {count} records")
                asked = json.loads(cost.said)["requests"]
                lines.append(
                    {
                        "records": count,
                        "library": library,
                        "processor s": cost.cpu,
                        "ms a record": cost.cpu / count * 1e3,
                        "MiB at most": cost.megabytes,
                        "Crossref": asked["crossref"],
                        "NCBI": asked["pubmed"],
                    }
                )
                _measured(lines[-1])
    title = "Whole runs, file to embedded library, processor time"
    return Table("runs", title, tuple(lines), "ms a record", ("records", "library"))


def budgets(counts: Sequence[int]) -> Table:
    """Drops against services that keep to their published rates and answer after 0.3 s, one write to Zotero at a time."""
    lines: list[Line] = []
    for count in counts:
        with TemporaryDirectory() as folder, services(Path(folder), count, budgets=True) as there:
            config = str(write_config(Path(folder) / "home", there.urls, zotero=True))
            cost = run("-c", config, "sync", "--json", str(there.first))
            told = there.told()
            if told["held"] != count:
                raise RuntimeError(f"Zotero holds {told['held']} of {count} records")
            needs = {name: told[name]["requests"] * each for name, each in _SECONDS.items()}
            slowest = max(needs, key=needs.__getitem__)
            lines.append(
                {
                    "records": count,
                    **{name: told[name]["requests"] for name in _SECONDS},
                    "refused": sum(told[name]["statuses"].get("429", 0) for name in _SECONDS),
                    "slowest": slowest,
                    "it needs s": needs[slowest],
                    "wall s": cost.wall,
                    "ratio": cost.wall / needs[slowest],
                    "processor s": cost.cpu,
                }
            )
            _measured(lines[-1])
    title = "Against the published rates, seconds of the clock"
    return Table("budgets", title, tuple(lines), "ratio", ("records", "slowest"))


_SECONDS = {"crossref": 1 / 3, "pubmed": 1 / 10, "zotero": 0.3}  # that a service needs for a request


def start(times: int) -> Table:
    """The shortest commands, best of several."""
    with TemporaryDirectory() as folder:
        nowhere = dict.fromkeys(("crossref", "pubmed", "idconv", "zotero"), "http://127.0.0.1:9")
        config = str(write_config(Path(folder), nowhere))
        run("-c", config, "status")
        lines: list[Line] = []
        for words in (("--help",), ("-c", config, "status")):
            costs = [run(*words) for _ in range(times)]
            lines.append({"command": f"zotdrop {words[-1]}", "ms": min(cost.cpu for cost in costs) * 1e3})
    return Table("start", "Start-up, processor time", tuple(lines), "ms", ("command",))
