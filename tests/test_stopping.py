"""A stop that is in a hurry cuts the connections at which somebody waits, of both HTTP clients and from another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from sync import wiring
from sync.config import load
from sync.errors import Interrupted, Outage
from sync.http import Http, Identity
from sync.stopping import Stop, Wires, cut_with
from tests.daemons import LONGEST
from tests.scene import Scene, scene
from tests.servers.zotero import API_KEY

PATIENCE = 20.0  # seconds that anything here may take; the answers never come


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


def ends_with(work: Callable[[], object], hurried: Callable[[], object]) -> BaseException | None:
    """What ends the work in its thread once it was hurried."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 (that is what is asked)
            caught.append(fault)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    hurried()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "it waits on"
    return caught[0] if caught else None


def test_who_waits_for_an_answer_of_a_source_is_cut_off(stage: Scene) -> None:
    stop, never = Stop(), Event()
    http = Http(identity=Identity("", "1"), wait=wiring.waiting(stop), now=time.monotonic)
    cut_with(stop, http)
    stage.crossref.hang(never, times=None)

    def hurry() -> None:
        stage.crossref.await_pending(1, LONGEST)
        stop.hurry()

    fault = ends_with(lambda: http.ask("crossref", "list", "GET", f"{stage.crossref.url}/works"), hurry)
    assert isinstance(fault, Interrupted)
    never.set()
    http.close()


def test_who_waits_for_an_answer_of_a_library_is_cut_off(stage: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOTERO_API_KEY", API_KEY)
    stop, never = Stop(), Event()
    stage.write_config("user")
    library = wiring.open_library(load(stage.config, stage.env()), "main", stop)
    stage.zotero.hang(never, times=None)

    def hurry() -> None:
        stage.zotero.await_pending(1, LONGEST)
        stop.hurry()

    assert isinstance(ends_with(library.check, hurry), Interrupted | Outage)
    never.set()
    library.close()


def test_a_connection_that_is_opened_after_the_cut_is_cut_too(stage: Scene) -> None:
    stop, never = Stop(), Event()
    http = Http(identity=Identity("", "1"), wait=lambda _: None, now=time.monotonic)
    http.cut()
    stage.crossref.hang(never, times=None)
    fault = ends_with(lambda: http.ask("crossref", "list", "GET", f"{stage.crossref.url}/works"), lambda: None)
    assert isinstance(fault, Outage)
    never.set()
    http.close()
    assert not stop.is_set()


def test_who_is_gone_is_not_cut_and_what_knows_no_cut_is_let_be() -> None:
    stop = Stop()
    cut_with(stop, Wires())
    cut_with(stop, object())
    cut_with(Event(), Wires())
    stop.hurry()
    assert stop.is_set()


def test_a_stop_that_is_asked_about_is_a_sign_of_life() -> None:
    at = [1.0]
    stop = Stop(lambda: at[0])
    at[0] = 2.0
    assert not stop.is_set()
    assert stop.heard == 2.0
    at[0] = 3.0
    assert not stop.wait(0.0)
    assert stop.heard == 3.0
