"""Notices from the run to the person: once each, a digest, kept where they do not arrive, never in a run's way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from sync import wiring
from sync.config import Config, load
from sync.errors import Locked, Outage
from sync.notify import teller
from sync.notify.message import Message
from sync.notify.teller import Teller
from sync.report import DropReport, RecordLine, RunReport
from sync.state.notices import Notices
from tests.notify.test_ways import Listener
from tests.scene import scene
from tests.servers.works import make_works, to_ris

RUN = RunReport("run-1", "2026-11-27T08:00:00Z", 1.0, {"crossref": 1})
AWAY = replace(RUN, requests={"crossref": 1}, away={"crossref": "crossref did not answer"})


class Recorder:
    """A way that keeps what it is given, and fails as often as it is told."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.fails = 0
        self.tries = 0

    def send(self, message: Message) -> None:
        self.tries += 1
        if self.fails:
            self.fails -= 1
            raise Outage("it is away", service="webhook")
        self.got.append(message)

    @property
    def kinds(self) -> list[str]:
        return [message.kind for message in self.got]


class Clock:
    """UTC, moved by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 27, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "zotdrop.toml"
    path.write_text("[state]\nmin_free_mb = 0\n[notify]\nevery = '15m'\n")
    return load(path, {})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def way() -> Recorder:
    return Recorder()


def telling(config: Config, clock: Clock, way: Recorder) -> Teller:
    return Teller(config, now=clock, by={"webhook": way})


def held(*shas: str) -> RunReport:
    drops = [DropReport(f"{sha}.ris", sha, 1, (RecordLine(1, "unreadable", "", ""),)) for sha in shas]
    return replace(RUN, drops=tuple(drops))


@contextmanager
def noted(config: Config) -> Iterator[Notices]:
    with closing(wiring.open_ledger(config)) as ledger:
        yield ledger.notices


def test_an_event_is_told_once_through_any_number_of_runs_and_restarts(
    config: Config, clock: Clock, way: Recorder
) -> None:
    for _ in range(3):
        one = telling(config, clock, way)
        one.after([held("a"), held("a")], "default")
        one.deliver()
        clock.pass_(hours=1)
    assert [message.text for message in way.got] == ["a.ris: 1 record unreadable"]


def test_a_storm_is_one_notice_and_what_comes_soon_after_it_the_next(
    config: Config, clock: Clock, way: Recorder
) -> None:
    one = telling(config, clock, way)
    one.after([held(*map(str, range(100)))])
    one.deliver()
    one.after([held("later")])
    one.deliver()
    clock.pass_(minutes=10)
    one.after([held("later still")])
    one.deliver()
    assert [message.data["count"] for message in way.got] == [100]
    clock.pass_(minutes=6)
    one.deliver()
    assert [message.data["count"] for message in way.got] == [100, 2]


def test_another_kind_does_not_wait_for_the_first(config: Config, clock: Clock, way: Recorder) -> None:
    one = telling(config, clock, way)
    one.after([held("a")])
    one.deliver()
    one.after([replace(RUN, failure="too many new items", failure_code=8)], "default")
    one.deliver()
    assert way.kinds == ["held", "failed"]
    assert way.got[1].text == "default: too many new items"


def test_a_service_is_told_of_after_so_many_runs_in_a_row_once_and_its_return_once(
    config: Config, clock: Clock, way: Recorder
) -> None:
    one = telling(config, clock, way)
    for report in (AWAY, AWAY, RUN, AWAY, AWAY):  # twice in a row is not three times
        one.after([report])
        one.deliver()
    assert way.got == []
    for _ in range(5):
        clock.pass_(hours=1)
        telling(config, clock, way).after([AWAY])
        one.deliver()
    assert way.kinds == ["away"]
    assert "crossref did not answer (3 times in a row since" in way.got[0].text
    for _ in range(2):
        one.after([RUN])
        one.deliver()
    assert way.kinds == ["away", "recovered"]
    assert way.got[1].text.startswith("crossref answers again")


def test_what_lasts_and_comes_again_is_another_event(config: Config, clock: Clock, way: Recorder) -> None:
    one = telling(config, clock, way)
    for _ in range(2):
        for report in (AWAY, AWAY, AWAY, RUN):
            one.after([report])
            clock.pass_(hours=1)
        one.deliver()
        clock.pass_(hours=1)
    assert way.kinds == ["away", "recovered"] * 2


def test_runs_that_cannot_begin_are_told_of_where_they_do_not_pass(config: Config, clock: Clock, way: Recorder) -> None:
    one = telling(config, clock, way)
    for times in (1, 2, 3):
        one.raised(Locked("another run"), "default")
        one.deliver()
        assert len(way.got) == (times == 3)


def test_a_library_that_stops_and_one_that_goes_on_are_told(config: Config, clock: Clock, way: Recorder) -> None:
    one = telling(config, clock, way)
    for why in ("no right to write", "no right to write", ""):
        with closing(wiring.open_ledger(config)) as ledger:
            ledger.stops.note("main", "2026-11-27T08:00:00Z", why)
        one.after([RUN], "default")
        one.deliver()
        clock.pass_(hours=1)
    assert way.kinds == ["stopped", "recovered"]
    assert way.got[0].text == "library main: no right to write"


def test_a_disk_that_is_nearly_full_is_told_though_no_run_does(tmp_path: Path, clock: Clock, way: Recorder) -> None:
    path = tmp_path / "zotdrop.toml"
    path.write_text("[state]\nmin_free_mb = 1000000000\n")
    full = telling(load(path, {}), clock, way)
    full.deliver()
    full.deliver()
    assert way.kinds == ["disk"]
    path.write_text("[state]\nmin_free_mb = 0\n")
    telling(load(path, {}), clock, way).deliver()
    assert way.kinds == ["disk", "recovered"]


def test_only_what_the_config_wants_is_told(tmp_path: Path, clock: Clock, way: Recorder) -> None:
    path = tmp_path / "zotdrop.toml"
    path.write_text("[state]\nmin_free_mb = 0\n[notify]\nevents = ['held', 'recovered']\nafter = 1\n")
    one = telling(load(path, {}), clock, way)
    for report in (AWAY, RUN, held("a")):
        one.after([report])
    one.deliver()
    assert way.kinds == ["held"]


def test_what_does_not_arrive_is_kept_and_tried_again_with_growing_waits(
    config: Config, clock: Clock, way: Recorder
) -> None:
    way.fails, began = 6, clock.at
    waits: list[float] = []
    telling(config, clock, way).after([held("a")])
    while not way.got:
        before = way.tries
        telling(config, clock, way).deliver()  # a new one each time: nothing of it is in memory alone
        if way.tries > before:
            waits.append((clock.at - began).total_seconds())
        clock.pass_(seconds=30)
    assert [round(late - early) for early, late in pairwise(waits)] == [30, 60, 120, 240, 480, 960]
    assert way.kinds == ["held"]


def test_a_way_that_fails_does_not_keep_another(config: Config, clock: Clock, way: Recorder) -> None:
    bad = Recorder()
    bad.fails = 1_000
    one = Teller(config, now=clock, by={"mail": bad, "webhook": way})
    one.after([held("a"), replace(RUN, failure="x", failure_code=8)])
    one.deliver()
    assert (way.kinds, bad.tries) == (["failed", "held"], 1) or (way.kinds, bad.tries) == (["held", "failed"], 1)
    with noted(config) as found:
        assert found.troubles()["mail"].why == "it is away"
        assert found.count_waiting() == 2


def test_what_could_not_be_told_for_a_week_is_given_up(config: Config, clock: Clock, way: Recorder) -> None:
    way.fails = 1
    one = telling(config, clock, way)
    one.after([held("a")])
    one.deliver()
    clock.pass_(days=8)
    one.deliver()
    assert way.got == []
    with noted(config) as found:
        assert found.count_waiting() == 0


def test_what_had_lasted_is_forgotten_after_a_while_and_a_drop_never(
    config: Config, clock: Clock, way: Recorder
) -> None:
    one = telling(config, clock, way)
    one.after([held("a"), replace(RUN, failure="x", failure_code=8)])
    one.deliver()
    clock.pass_(days=91)
    one.deliver()
    with closing(wiring.open_ledger(config)) as ledger:
        kinds = [row[0] for row in ledger.database.rows("SELECT kind FROM notices")]
    assert kinds == ["held"]
    one.after([held("a")])
    one.deliver()
    assert way.kinds.count("held") == 1


def test_a_name_that_is_no_text_or_would_speak_to_a_terminal_can_be_told(
    config: Config, clock: Clock, way: Recorder
) -> None:
    drop = DropReport("a\udcff\x1b[31m.ris", "sha", 0, message="this is a PDF")
    one = telling(config, clock, way)
    one.after([replace(RUN, drops=(drop,))])
    one.deliver()
    assert way.got[0].text == "a\\udcff\\x1b[31m.ris: this is a PDF"
    json.dumps(way.got[0].data).encode()


def test_without_a_way_nothing_is_noted(config: Config, clock: Clock) -> None:
    one = Teller(config, now=clock)
    one.after([held("a")])
    one.round()
    assert not Path(config.state.path).exists()


def test_a_notice_never_stops_a_run_or_the_service_and_nobody_waits_for_its_answer(
    config: Config, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teller, "LEAVE", 0.1)
    never, asked = Flag(), Flag()

    class Endless:
        def send(self, _message: Message) -> None:
            asked.set()
            never.wait()

    one = Teller(config, now=clock, by={"webhook": Endless()})
    one.start()
    one.after([held("a")])
    assert asked.wait(30)
    one.after([held("b")])  # comes back though the first is still on its way
    ledger = Path(config.state.path)
    for beside in ("", "-wal", "-shm"):  # aside, not over it: the message on its way still holds the one there was
        ledger.with_name(ledger.name + beside).unlink(missing_ok=True)
    ledger.write_bytes(b"this is no ledger")
    one.after([held("c")])
    one.raised(Locked("x"))
    one.round()
    one.stop()  # comes back though the first is still on its way
    never.set()


def test_the_service_tells_of_a_held_drop_once_and_the_command_of_a_test(tmp_path: Path) -> None:
    with scene(tmp_path, make_works(2, seed=5)) as stage, Listener() as listener:
        stage.write_config(use=[])
        hook: dict[str, Any] = {"ZOTDROP__NOTIFY__WEBHOOK__URL": f"{listener.url}/hook"}
        done = stage.run("check", "--notify", **hook)
        assert b"notify.webhook: a test notice was sent" in done.stderr
        assert [request.json()["kind"] for request in listener.log] == ["test"]
        listener.forget()
        (stage.inbox / "bad.ris").write_bytes(b"%PDF-1.7 not a reference")
        (stage.inbox / "good.ris").write_text(to_ris(make_works(2, seed=5)))
        for _ in range(2):
            stage.run("run", "--once", code=None, **hook)
        (request,) = listener.log
        assert request.json()["kind"] == "held"
        assert "bad.ris" in request.json()["events"][0]["text"]
        listener.fail(status=404)
        done = stage.run("check", "--notify", code=4, **hook)
        assert b"127.0.0.1 refused the notice (404)" in done.stderr
        assert b"[notify] names no way" in stage.run("check", "--notify", code=2).stderr


def test_waits_grow_up_to_a_limit(config: Config, clock: Clock, way: Recorder) -> None:
    way.fails = 100
    one = telling(config, clock, way)
    one.after([held("a")])
    for _ in range(15):
        one.deliver()
        clock.pass_(seconds=teller.MOST)
    assert way.tries == 15
