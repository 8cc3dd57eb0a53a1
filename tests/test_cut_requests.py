"""Whatever happens at any request to Zotero, the library ends as if nothing had: same keys, same items, each once.

In CI every way of going wrong is tried at one request of a small run. `ZOTDROP_LONG=1` tries every way at every request of a run
over 1,000 records; `ZOTDROP_LONG=7/20` the seventh of twenty parts of that.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.scene import ROOT, Scene, outcomes, scene
from tests.servers.base import NOT_EVEN_A_STATUS, Handle, Reply, Request
from tests.servers.works import make_works, to_ris

LONG = os.environ.get("ZOTDROP_LONG", "")
RECORDS = 1_000 if LONG else 120
WRITES = -(-RECORDS // 50)
REQUESTS = 4 + WRITES  # the key, what there is, the collections, those that are made, the writes
LOST = Reply(keep=NOT_EVEN_A_STATUS)


@dataclass
class Victim:
    """The process whose requests go wrong."""

    process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)


def arrived(victim: Victim, _handle: Handle, _request: Request) -> Reply:
    victim.kill()
    return LOST


def done(victim: Victim, handle: Handle, request: Request) -> Reply:
    handle(request)
    victim.kill()
    return LOST


def cut(_victim: Victim, handle: Handle, request: Request) -> Reply:
    handle(request)
    return LOST


def cut_in_the_answer(_victim: Victim, handle: Handle, request: Request) -> Reply:
    reply = handle(request)
    return Reply(reply.status, reply.body, reply.headers, keep=len(reply.body) // 2)


def twice(_victim: Victim, handle: Handle, request: Request) -> Reply:
    handle(request)
    return handle(request)


def twice_and_the_first_answer(_victim: Victim, handle: Handle, request: Request) -> Reply:
    reply = handle(request)
    handle(request)
    return reply


def failed_after(status: int) -> Callable[[Victim, Handle, Request], Reply]:
    def twist(_victim: Victim, handle: Handle, request: Request) -> Reply:
        handle(request)
        return Reply(status, b"An error occurred", {"Content-Type": "text/html"})

    return twist


# At the server. At the client the process dies by itself: before it sends, and once it has the answer.
AT_THE_SERVER: dict[str, Callable[[Victim, Handle, Request], Reply]] = {
    "killed-when-it-arrived": arrived,
    "killed-when-it-was-done": done,
    "cut-after-commit": cut,
    "cut-in-the-answer": cut_in_the_answer,
    "delivered-twice": twice,
    "delivered-twice-first-answer": twice_and_the_first_answer,
    "500-after-commit": failed_after(500),
    "503-after-commit": failed_after(503),
}
AT_THE_CLIENT = {"killed-before": 1, "killed-after": 2}
WAYS = (*AT_THE_CLIENT, *AT_THE_SERVER)


def places() -> Iterator[tuple[str, int]]:
    """Ways of going wrong, and the number of the request (from 1) at which it does."""
    if not LONG:
        yield from ((way, 1 + number % REQUESTS) for number, way in enumerate(WAYS, start=2))
        return
    part, _, parts = LONG.partition("/")
    every = [(way, number) for number in range(1, REQUESTS + 1) for way in WAYS]
    yield from every[int(part) % int(parts) :: int(parts)] if parts else every


@cache
def text() -> str:
    return to_ris(make_works(RECORDS, seed=41))


def run(stage: Scene, way: str, number: int) -> int:
    """The command with this going wrong at this request: how it ended."""
    victim = Victim()
    path = stage.drop("drop.ris", text())
    command = stage.command("sync", str(path))
    if way in AT_THE_CLIENT:
        step = 2 * (number - 1) + AT_THE_CLIENT[way]
        command = [sys.executable, "-m", "tests.killed", f"r{step}", str(stage.folder / "n"), *command[3:]]
    elif way:
        twist = AT_THE_SERVER[way]
        stage.zotero.twist(lambda handle, request: twist(victim, handle, request), 1, spare=number - 1)
    victim.process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env=stage.env()
    )
    return victim.process.wait(900)


def library(stage: Scene) -> list[dict[str, Any]]:
    """All that the library holds, without what depends on the order and the time of writing."""
    own = {"version", "dateAdded", "dateModified"}
    held = stage.zotero.library().items(trashed=True) + stage.zotero.library().collections()
    plain = [{name: value for name, value in each.items() if name not in own} for each in held]
    return sorted(plain, key=lambda each: str(each["key"]))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    with scene(tmp_path_factory.mktemp("undisturbed")) as stage:
        stage.write_config("user", use=[])
        assert run(stage, "", 0) == 0
        assert len(stage.zotero.log) == REQUESTS
        return library(stage)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("way", "number"), list(places()), ids=str)
def test_the_library_ends_as_in_a_run_that_nothing_happened_to(
    way: str, number: int, tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    with scene(tmp_path) as stage:
        stage.write_config("user", use=[])
        code = run(stage, way, number)
        assert (code == -signal.SIGKILL) is way.startswith("killed")
        stage.zotero.heal()
        report = stage.sync(str(stage.drop("drop.ris", text())))
        assert sum(outcomes(report).values()) == RECORDS
        assert set(outcomes(report)) <= {"created", "left"}
        assert library(stage) == undisturbed
