"""The watchdog is fed as long as there are signs of life, and no longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.config import load
from sync.service import Daemon, notify
from sync.service.daemon import LOOK_MOST, RUN_MOST
from sync.service.jobs import jobs_of
from sync.service.pulse import Pulse
from sync.service.systemd import feed_every
from tests.daemons import Listener


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    made = Listener(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    yield made
    made.close()


class Steady:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Steady:
    return Steady()


@pytest.fixture
def daemon(tmp_path: Path, clock: Steady) -> Daemon:
    (tmp_path / "zotdrop.toml").write_text("")
    return Daemon(load(tmp_path / "zotdrop.toml", {}), now=clock)


def test_an_idle_service_feeds_the_watchdog(daemon: Daemon, listener: Listener, clock: Steady) -> None:
    clock.at += 1e6
    daemon.feed()
    assert listener.heard() == ["WATCHDOG=1"]


def test_a_look_that_hangs_starves_it_and_is_told_once(
    daemon: Daemon, listener: Listener, clock: Steady, caplog: pytest.LogCaptureFixture
) -> None:
    with daemon.pulse.doing("looking into /mnt/away", LOOK_MOST):
        clock.at += LOOK_MOST - 1
        daemon.feed()
        assert listener.heard() == ["WATCHDOG=1"]
        clock.at += 2
        daemon.feed()
        daemon.feed()
        assert listener.heard() == []
        assert caplog.text.count("looking into /mnt/away: no sign of life") == 1
    daemon.feed()
    assert listener.heard() == ["WATCHDOG=1"]


def test_a_long_run_that_goes_on_does_not_starve_it_and_one_that_hangs_does(
    daemon: Daemon, listener: Listener, clock: Steady
) -> None:
    daemon.stop._now = clock
    with daemon._under_way():
        for _ in range(20):
            clock.at += RUN_MOST - 1
            daemon.stop.is_set()  # what every batch asks
            clock.at += RUN_MOST - 1
            daemon.stop.wait(0.0)  # what every pause does
            daemon.feed()
            assert listener.heard() == ["WATCHDOG=1"]
        clock.at += RUN_MOST + 1
        daemon.feed()
        assert listener.heard() == []
    assert listener.heard() == ["STATUS=watching default"]


def test_it_is_fed_by_the_timetable_alone_often_enough_and_in_quiet_hours(daemon: Daemon) -> None:
    (job,) = [job for job in jobs_of(daemon, daemon.config) if job.name == "watchdog"]
    assert (job.work, job.always) == (daemon.feed, True)
    assert feed_every({"WATCHDOG_USEC": "3000000"}) == 1.0
    assert feed_every({"WATCHDOG_USEC": "120000000"}) == 10.0
    assert feed_every({"WATCHDOG_USEC": "0"}) == feed_every({}) == feed_every({"WATCHDOG_USEC": "no"}) == 10.0


def test_rest_is_waited_for() -> None:
    pulse, go_on, began = Pulse(lambda: 0.0), threading.Event(), threading.Event()

    def work() -> None:
        with pulse.doing("something"):
            began.set()
            go_on.wait(20.0)

    thread = threading.Thread(target=work)
    thread.start()
    assert began.wait(20.0)
    assert (pulse.rests(0.01), pulse.under_way()) == (False, ["something"])
    go_on.set()
    assert pulse.rests(20.0)
    thread.join()


def test_nobody_listening_is_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")
