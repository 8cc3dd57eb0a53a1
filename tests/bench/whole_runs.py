"""Whole runs of the real command, measured from outside: processor time, seconds, memory, requests.

The services stand in a process of their own (`services`); the command runs in another, whose time and memory the system counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """The stand-ins, running. file: the RIS file whose references they know."""

    def __init__(self, process: subprocess.Popen[str], file: Path, urls: dict[str, str]) -> None:
        self._process, self.file, self.urls = process, file, urls

    def told(self) -> dict[str, Any]:
        """By service: requests, statuses, and the seconds between first and last; `held`: items that Zotero has."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def services(folder: Path, count: int, *, budgets: bool = False) -> Iterator[Services]:
    """Stand-ins that know so many works. budgets: they keep to the published rates, and answer after 0.3 s."""
    file = folder / f"{count}.ris"
    words = [sys.executable, "-m", "tests.bench.services", str(count), str(file), *(["--budgets"] if budgets else [])]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Services(process, file, json.loads(process.stdout.readline()))
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
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"zotdrop {' '.join(words)} ended with {process.returncode}: {said[-500:]}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024, said)


def outcomes(said: str) -> dict[str, int]:
    """The outcomes of a run that are not 0, of its JSON."""
    return {name: number for drop in json.loads(said)["drops"] for name, number in drop["outcomes"].items() if number}
