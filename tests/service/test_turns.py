"""A plan whose turn was missed while no service ran is made up, once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from sync import wiring
from sync.config import Config, load
from sync.service import Daemon
from sync.steps.tools import instant
from tests.daemons import until

PLANS = {"refresh": '[schedule]\nrefresh = "{plan}"', "inbox-default": '[inbox.default]\nschedule = "{plan}"'}


def config(folder: Path, job: str, plan: str) -> Config:
    (folder / "inbox").mkdir(exist_ok=True)
    text = f"[state]\nmin_free_mb = 0\n[sources]\nuse = []\n{PLANS[job].format(plan=plan)}\n"
    (folder / "zotdrop.toml").write_text(text)
    return load(folder / "zotdrop.toml", {})


def last(found: Config, job: str) -> str:
    ledger = wiring.open_ledger(found)
    try:
        return ledger.turns.last(job)
    finally:
        ledger.close()


def was_last(found: Config, job: str, ago: timedelta) -> str:
    ledger = wiring.open_ledger(found)
    at = instant(wiring.utc_now() - ago)
    ledger.turns.note(job, at)
    ledger.close()
    return at


@contextmanager
def started(found: Config) -> Iterator[Daemon]:
    daemon = Daemon(found)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop_work()
        assert daemon.pulse.rests(30.0)


def runs(found: Config) -> int:
    ledger = wiring.open_ledger(found)
    try:
        return int(ledger.database.value("SELECT COUNT(*) FROM runs"))
    finally:
        ledger.close()


@pytest.mark.parametrize("job", PLANS)
@pytest.mark.parametrize("plan", ["0 3 * * *", "every 2h"])
def test_what_was_missed_for_days_is_made_up_once(tmp_path: Path, job: str, plan: str) -> None:
    found = config(tmp_path, job, plan)
    before = was_last(found, job, timedelta(days=3))
    with started(found) as daemon:
        until(lambda: last(found, job) != before and runs(found) == 1, "its turn has come")
        assert daemon.pulse.rests(30.0)
    with started(found):
        pass
    assert runs(found) == 1


@pytest.mark.parametrize("ago", [timedelta(0), None], ids=["just now", "never"])
def test_what_had_its_turn_or_is_new_waits_for_it(tmp_path: Path, ago: timedelta | None) -> None:
    found = config(tmp_path, "refresh", "every 2h")
    if ago is not None:
        was_last(found, "refresh", ago)
    with started(found) as daemon:
        due = daemon.timetable._scheduler.get_job("refresh").next_run_time
        assert due - wiring.utc_now() > timedelta(minutes=119)
    assert runs(found) == 0
    assert last(found, "refresh")


def test_an_interval_goes_on_where_it_stood_however_often_the_service_is_started(tmp_path: Path) -> None:
    found = config(tmp_path, "refresh", "every 2h")
    was_last(found, "refresh", timedelta(minutes=119))
    with started(found) as daemon:
        due = daemon.timetable._scheduler.get_job("refresh").next_run_time
        assert due - wiring.utc_now() < timedelta(minutes=2)
