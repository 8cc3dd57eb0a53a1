"""A stop ends the service within seconds wherever it is, and nothing is lost, and nothing is made twice."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.daemons import LONGEST, SOON, daemon, ends, log_of, until
from tests.scene import ROOT, Scene, scene
from tests.servers.base import Request
from tests.servers.works import make_works, to_ris

WORKS = make_works(12, seed=8)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        yield made


def is_write(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/items")


def is_read(request: Request) -> bool:
    return request.method == "GET" and request.path.endswith("/items")


def crossref(stage: Scene, never: Event) -> Callable[[], object]:
    stage.write_config(use=["crossref"])
    stage.crossref.hang(never, times=None)
    return lambda: stage.crossref.await_pending(1, LONGEST)


def ncbi(stage: Scene, never: Event) -> Callable[[], object]:
    stage.write_config(use=["pubmed"])
    stage.ncbi.hang(never, times=None)
    return lambda: stage.ncbi.await_pending(1, LONGEST)


def zotero_read(stage: Scene, never: Event) -> Callable[[], object]:
    stage.write_config("user", use=[])
    stage.zotero.hang(never, times=None, when=is_read)
    return lambda: stage.zotero.await_pending(1, LONGEST)


def zotero_write(stage: Scene, never: Event) -> Callable[[], object]:
    stage.write_config("user", use=[])
    stage.zotero.hang(never, times=None, when=is_write)
    return lambda: stage.zotero.await_pending(1, LONGEST)


def budget(stage: Scene, _never: Event) -> Callable[[], object]:
    """Crossref asks for a pause of fifty seconds, which is waited for in place."""
    stage.write_config(use=["crossref"])
    stage.crossref.fail(None, status=429, headers={"Retry-After": "50"})
    return lambda: until(lambda: bool(stage.crossref.log), "the pause was asked for")


SLOW = [crossref, ncbi, zotero_read, zotero_write, budget]


@pytest.mark.parametrize("slow", SLOW)
def test_sigterm_ends_the_service_while_an_answer_is_still_held(
    stage: Scene, slow: Callable[[Scene, Event], Callable[[], object]]
) -> None:
    never = Event()
    until_there = slow(stage, never)
    (stage.inbox / "slow.ris").write_text(to_ris(WORKS))
    with daemon(stage) as process:
        until_there()
        assert ends(process, signal.SIGTERM, SOON) == 0
        assert not never.is_set()
        assert "left in the middle" not in log_of(stage), "cutting its connections was not enough"
    never.set()  # what was under way lands after all, though nobody hears of it
    for server in (stage.crossref, stage.ncbi, stage.zotero):
        server.heal()
        until(lambda server=server: not server._pending, "all requests are through")  # type: ignore[misc]
    assert (stage.inbox / "slow.ris").exists()
    stage.run("run", "--once")
    assert (stage.inbox / "done" / "slow.ris").exists()
    assert sorted(item["title"] for item in stage.items()) == sorted(work.title for work in WORKS)


@pytest.mark.parametrize("place", ["matching", "hashing", "reading"])
def test_sigterm_ends_the_service_in_the_middle_of_what_heeds_nothing(stage: Scene, place: str) -> None:
    stage.write_config(use=[])
    (stage.inbox / "large.ris").write_text(to_ris(WORKS))
    with daemon(stage, before=("tests.stuck", place), said=f"stuck in {place}") as process:
        assert ends(process, signal.SIGTERM, SOON) == 0
        assert "left in the middle of inbox-default, a run" in log_of(stage)
    stage.run("run", "--once")
    assert (stage.inbox / "done" / "large.ris").exists()
    assert len(stage.items()) == len(WORKS)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_run_once_ends_in_the_middle_of_an_answer_too(stage: Scene, number: signal.Signals, code: int) -> None:
    never = Event()
    until_there = crossref(stage, never)
    (stage.inbox / "slow.ris").write_text(to_ris(WORKS))
    process = subprocess.Popen(stage.command("run", "--once"), cwd=ROOT, env=stage.env(), stderr=subprocess.DEVNULL)
    until_there()
    assert ends(process, number, SOON) == code
    never.set()


def test_sigterm_ends_a_command_in_the_middle_of_an_answer_too(stage: Scene) -> None:
    never = Event()
    until_there = crossref(stage, never)
    path = stage.drop("slow.ris", to_ris(WORKS))
    process = subprocess.Popen(stage.command("sync", str(path)), cwd=ROOT, env=stage.env(), stdout=subprocess.DEVNULL)
    until_there()
    assert ends(process, signal.SIGTERM, SOON) == 130
    never.set()


def test_ctrl_c_ends_an_idle_service_with_130(stage: Scene) -> None:
    with daemon(stage) as process:
        assert ends(process, signal.SIGINT, SOON) == 130


def test_a_command_that_follows_a_service_which_dies_takes_its_order_back_and_does_it_itself(stage: Scene) -> None:
    stage.write_config(use=[])
    path = stage.drop("beside.ris", to_ris(WORKS[:3]))
    with daemon(stage, before=("tests.stuck", "matching")) as process:
        beside = subprocess.Popen(stage.command("sync", str(path)), cwd=ROOT, env=stage.env(), stdout=subprocess.PIPE)
        until(lambda: "stuck in matching" in log_of(stage), "the service has taken the order")
        assert ends(process, signal.SIGTERM, SOON) == 0
        shown, _ = beside.communicate(timeout=LONGEST)
    assert beside.returncode == 0
    assert b"3 records in = 3 created" in shown


def test_the_lock_of_a_service_that_was_killed_is_no_lock(stage: Scene) -> None:
    with daemon(stage) as process:
        assert ends(process, signal.SIGKILL) == -signal.SIGKILL
    left = stage.folder / "state" / "zotdrop.sqlite.daemon.lock"
    assert left.exists(), "the file stays; what locks is the kernel"
    with daemon(stage) as process:
        stage.run("run", code=7)
        assert ends(process, signal.SIGTERM) == 0
