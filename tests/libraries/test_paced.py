"""A shared library is written in bursts, with pauses in between, on a clock that a test turns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import pytest

from sync import wiring
from sync.config import load
from sync.core.keys import derived_key
from sync.errors import Interrupted, Outage
from sync.libraries.base import Receipt, Write
from sync.libraries.dry import DryLibrary
from sync.libraries.embedded import Embedded
from sync.libraries.paced import Pace, Paced

BURST, PAUSE, WRITING = 20.0, 30.0, 3.0


class Clock:
    """Seconds that pass while somebody writes or waits."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.waits: list[float] = []
        self.writes: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


class Bench:
    def __init__(self, path: Path) -> None:
        self.clock, self.real = Clock(), Embedded(path, now=lambda: "2026-11-24T00:00:00Z")
        self.number = 0

    def paced(self, **more: Any) -> Paced:
        return Paced(self.real, Pace(BURST, PAUSE), now=self.clock.now, wait=self.clock.wait, **more)

    def write(self, library: Paced) -> None:
        self.number += 1
        self.clock.writes.append(self.clock.time)
        [answer] = library.write([Write(derived_key("n", self.number), 0, {"itemType": "book", "title": "Ward"})])
        assert isinstance(answer, Receipt)
        self.clock.time += WRITING


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "library.sqlite")
    yield made
    made.real.close()


def test_who_has_written_for_a_burst_waits_for_a_pause(bench: Bench) -> None:
    library = bench.paced()
    for _ in range(16):
        bench.write(library)
    # The clock is turned after a write, so that its 3 s count for the pause that follows.
    assert bench.clock.waits == [PAUSE - WRITING] * 2
    assert len(bench.real._rows("SELECT 1 FROM items")) == 16


def test_a_rest_that_came_by_itself_counts_as_a_pause(bench: Bench) -> None:
    library = bench.paced()
    for _ in range(6):
        bench.write(library)
    bench.clock.time += PAUSE
    bench.write(library)
    assert bench.clock.waits == []
    for _ in range(6):
        bench.write(library)
    bench.clock.time += 10
    bench.write(library)
    assert bench.clock.waits == [PAUSE - WRITING - 10]


def test_a_wait_that_ends_a_moment_early_was_a_pause(bench: Bench) -> None:
    early = bench.clock.wait
    bench.clock.wait = lambda seconds: early(seconds - 0.001)  # type: ignore[method-assign]
    library = bench.paced(before=(25.0, 2.0))
    for _ in range(3):
        bench.write(library)
    assert len(bench.clock.waits) == 1


@pytest.mark.parametrize(
    ("before", "waits"),
    [
        ((), []),
        ((2.0,), []),
        ((50.0, 25.0, 2.0), [PAUSE - 2.0]),
        ((2.0, 25.0, 50.0), [PAUSE - 2.0]),
        ((60.0, 55.0, 2.0), []),
        ((31.0, 40.0, 62.0), []),
    ],
)
def test_what_earlier_runs_wrote_belongs_to_the_burst(
    bench: Bench, before: tuple[float, ...], waits: list[float]
) -> None:
    bench.write(bench.paced(before=before))
    assert bench.clock.waits == waits


def test_a_collection_and_a_file_wait_too_and_reading_does_not(bench: Bench) -> None:
    library = bench.paced(before=(25.0, 2.0))
    list(library.changes(0))
    list(library.items())
    library.check()
    assert bench.clock.waits == []
    library.collection(["Drops"])
    assert bench.clock.waits == [PAUSE - 2.0]


def test_a_write_that_fails_belongs_to_the_burst(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    library = bench.paced()

    def slow(_batch: object) -> NoReturn:
        bench.clock.time += BURST + 1
        raise Outage("the connection broke", service="zotero")

    with monkeypatch.context() as patch:
        patch.setattr(bench.real, "write", slow)
        with pytest.raises(Outage):
            library.write([])
    bench.write(library)
    assert bench.clock.waits == [PAUSE]


def test_a_stop_ends_the_pause_at_once_and_nothing_is_written(bench: Bench) -> None:
    stop, told = Event(), list[BaseException]()
    library = Paced(bench.real, Pace(BURST, 600.0), now=bench.clock.now, wait=wiring.waiting(stop), before=(25.0, 2.0))

    def write() -> None:
        try:
            bench.write(library)
        except Interrupted as fault:
            told.append(fault)

    worker = threading.Thread(target=write)
    worker.start()
    stop.set()
    worker.join(timeout=10)
    assert not worker.is_alive()
    assert len(told) == 1
    assert bench.real._rows("SELECT 1 FROM items") == []


GROUP = '[library.main]\nkind = "zotero"\ntype = "group"\nid = 7\napi_key = "abcdefghijklmnopqrstuvwx"\n'


@pytest.mark.parametrize(
    ("text", "dry", "paced"),
    [
        (GROUP, False, True),
        (GROUP.replace("group", "user"), False, False),
        ('[library.main]\nkind = "embedded"\n', False, False),
        (f"{GROUP}[write]\nexclusive = true\n", False, False),
        (f"{GROUP}[write]\npause_seconds = 0.0\n", False, False),
        (GROUP, True, False),
    ],
    ids=["group", "user", "embedded", "exclusive", "no-pause", "dry"],
)
def test_only_a_group_that_others_use_is_written_with_pauses(tmp_path: Path, text: str, dry: bool, paced: bool) -> None:
    path = tmp_path / "zotdrop.toml"
    path.write_text(text)
    config = load(path, {})
    tell: Callable[[str, int, int], None] = lambda _text, _done, _of: None  # noqa: E731 (a place for it)
    with closing(wiring.open_ledger(config)) as ledger:  # noqa: SIM117 (the second needs the first)
        with wiring.open_tools(config, "main", ledger, stop=Event(), tell=tell, dry=dry) as tools:
            assert isinstance(tools.library, Paced) is paced
            assert isinstance(tools.library, DryLibrary) is dry
