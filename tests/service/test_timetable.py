"""When things begin: quiet hours, nights in which the clocks change, clocks that jump, runs that are late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers import base
from apscheduler.triggers import interval

from sync.errors import LedgerFault
from sync.service import timetable as room
from sync.service.pulse import Pulse
from sync.service.timetable import Clocks, Job, Timetable, quiet_until, trigger_of

BERLIN = ZoneInfo("Europe/Berlin")
PATIENCE = 20.0  # seconds that anything here may take


def fires(plan: str, start: datetime, count: int) -> list[datetime]:
    """The next times of APScheduler's own trigger, in UTC."""
    trigger, found, before = trigger_of(plan, 0.0, start.tzinfo), list[datetime](), None
    now = start
    for _ in range(count):
        before = trigger.get_next_fire_time(before, now)
        assert before is not None
        now = before
        found.append(now.astimezone(UTC))
    return found


def until(claim: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE / 0.01)):
        if claim():
            return
        time.sleep(0.01)
    raise AssertionError("never came true")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


def test_an_hour_that_is_skipped_in_spring_skips_no_run() -> None:
    assert fires("30 2 * * *", datetime(2026, 3, 28, tzinfo=BERLIN), 3) == [
        utc("2026-03-28T01:30"),
        utc("2026-03-29T01:30"),  # 2:30 does not come that night; this is 3:30
        utc("2026-03-30T00:30"),
    ]


def test_an_hour_that_comes_twice_in_autumn_brings_one_run() -> None:
    assert fires("30 2 * * *", datetime(2026, 10, 24, tzinfo=BERLIN), 3) == [
        utc("2026-10-24T00:30"),
        utc("2026-10-25T00:30"),
        utc("2026-10-26T01:30"),
    ]


def test_what_comes_every_hour_comes_in_both_of_them() -> None:
    assert fires("0 * * * *", datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN), 3) == [
        utc("2026-10-25T00:00"),
        utc("2026-10-25T01:00"),
        utc("2026-10-25T02:00"),
    ]


def test_the_same_plan_in_two_zones_is_two_moments() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert fires("0 3 * * *", datetime(2026, 7, 1, tzinfo=tokyo), 1) == [utc("2026-06-30T18:00")]
    assert fires("0 3 * * *", datetime(2026, 7, 1, tzinfo=BERLIN), 1) == [utc("2026-07-01T01:00")]


@pytest.mark.parametrize(
    ("quiet", "moment", "end"),
    [
        ("", "2026-11-27T12:00", None),
        ("08:00-18:00", "2026-11-27T07:59", None),
        ("08:00-18:00", "2026-11-27T08:00", "2026-11-27T18:00"),
        ("08:00-18:00", "2026-11-27T17:59", "2026-11-27T18:00"),
        ("08:00-18:00", "2026-11-27T18:00", None),
        ("22:00-06:00", "2026-11-27T23:00", "2026-11-28T06:00"),
        ("22:00-06:00", "2026-11-28T05:59", "2026-11-28T06:00"),
        ("22:00-06:00", "2026-11-28T06:00", None),
        ("18:30-24:00", "2026-11-27T20:00", "2026-11-28T00:00"),
    ],
)
def test_quiet_hours_end_when_they_say(quiet: str, moment: str, end: str | None) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=BERLIN)
    wanted = datetime.fromisoformat(end).replace(tzinfo=BERLIN) if end else None
    assert quiet_until(quiet, now) == wanted


class Wall:
    """The wall clock of APScheduler and of the timetable, ahead of the real one by `ahead`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        wall = self

        class Shifted(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.now(tz) + wall.ahead

        for module in (base, interval, room):
            monkeypatch.setattr(module, "datetime", Shifted)

    def show(self, moment: datetime) -> None:
        self.ahead = moment - datetime.now(moment.tzinfo)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(monkeypatch)


@pytest.fixture
def table() -> Iterator[Timetable]:
    made = Timetable(Pulse(lambda: 0.0))
    yield made
    made.shut()


class Count:
    """A job that counts how often it began, and can be made to last."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.times = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self) -> None:
        self.times += 1
        self.began.release()
        assert self.go_on.wait(PATIENCE)

    def comes(self, within: float = PATIENCE) -> bool:
        return self.began.acquire(timeout=within)


def beat(count: Count) -> Job:
    return Job("beat", count, every=0.2, always=True)


def test_in_quiet_hours_nothing_begins_by_itself_and_what_fell_due_begins_once_at_their_end(
    wall: Wall, table: Timetable
) -> None:
    night, always = Count(), Count()
    wall.show(datetime(2026, 11, 27, 11, 59, 59, tzinfo=BERLIN))
    table.set([Job("night", night, "* * * * *"), beat(always)], BERLIN, "08:00-18:00")
    table.start()
    for _ in range(15):
        assert always.comes()
    assert night.times == 0
    wall.show(datetime(2026, 11, 27, 18, 0, 1, tzinfo=BERLIN))
    assert night.comes()
    assert not night.comes(0.5)


def test_a_job_that_lasts_does_not_begin_again_before_its_end(table: Timetable) -> None:
    long, other = Count(), Count()
    long.go_on.clear()
    table.set([Job("long", long, every=0.1), beat(other)], None, "")
    table.start()
    assert long.comes()
    for _ in range(5):
        assert other.comes()
        table.soon("long", 0.0)
    assert long.times == 1
    long.go_on.set()
    assert long.comes()


def test_after_a_jump_back_of_days_things_go_on(wall: Wall, table: Timetable) -> None:
    often = Count()
    table.set([beat(often)], None, "")
    table.start()
    assert often.comes()
    wall.ahead = -timedelta(days=3)
    while often.comes(1.0):  # what was already due
        pass
    table.clocks_jumped()
    assert [often.comes() for _ in range(3)] == [True] * 3


def test_runs_that_were_missed_by_a_jump_ahead_are_made_up_once(wall: Wall, table: Timetable) -> None:
    daily, often = Count(), Count()
    wall.show(datetime(2026, 11, 27, 12, 0, tzinfo=BERLIN))
    table.set([Job("daily", daily, "0 3 * * *"), beat(often)], BERLIN, "")
    table.start()
    assert often.comes()
    wall.show(datetime(2026, 12, 1, 12, 0, tzinfo=BERLIN))
    table.clocks_jumped()
    assert daily.comes()
    assert not daily.comes(0.5)
    assert often.comes()


def test_a_long_sleep_is_not_counted_second_by_second() -> None:
    begin, now = utc("2026-01-01T00:00"), utc("2027-01-01T00:00")
    for trigger in (trigger_of("", 1.0, UTC), trigger_of("* * * * *", 0.0, UTC)):
        first = trigger.get_next_fire_time(begin, now)
        assert first is not None
        second = trigger.get_next_fire_time(first, now)
        assert second is not None
        assert first >= now
        assert second > now


def test_a_plan_that_a_jump_back_put_days_away_comes_at_its_next_hour(wall: Wall, table: Timetable) -> None:
    daily = Count()
    wall.show(datetime(2026, 12, 1, 12, 0, tzinfo=BERLIN))
    table.set([Job("daily", daily, "0 3 * * *")], BERLIN, "")
    table.start()
    wall.show(datetime(2026, 11, 27, 12, 0, tzinfo=BERLIN))
    table.clocks_jumped()
    wall.show(datetime(2026, 11, 28, 3, 0, 1, tzinfo=BERLIN))
    table.clocks_jumped()
    assert daily.comes()


def test_a_fault_of_a_job_ends_neither_it_nor_the_others(table: Timetable, caplog: pytest.LogCaptureFixture) -> None:
    other, tries = Count(), Count()

    def bad() -> None:
        tries()
        raise RuntimeError("this is on purpose")

    table.set([Job("bad", bad, every=0.1), beat(other)], None, "")
    table.start()
    assert all(count.comes() for count in (tries, tries, other))
    assert "unexpected fault; the service goes on" in caplog.text


def test_other_jobs_take_the_place_of_those_that_are_there(table: Timetable) -> None:
    old, new = Count(), Count()
    table.set([Job("old", old, every=0.1), beat(old)], None, "")
    table.start()
    assert old.comes()
    table.set([Job("new", new, every=0.1)], None, "")
    while old.comes(0.5):
        pass
    assert new.comes()
    assert not old.comes(0.5)


@pytest.mark.parametrize(
    ("moves", "jump"),
    [((5.0, 5.0), 0.0), ((5.0, 4.0), 0.0), ((5.0, 3605.0), 3600.0), ((5.0, -86395.0), -86400.0)],
    ids=["none", "drift", "ahead, or asleep", "back"],
)
def test_clocks_that_part_are_noticed_once(moves: tuple[float, float], jump: float) -> None:
    steady, wall_clock = [100.0], [1_800_000_000.0]
    clocks = Clocks(lambda: steady[0], lambda: wall_clock[0])
    steady[0] += moves[0]
    wall_clock[0] += moves[1]
    assert clocks.jumped() == jump
    assert clocks.jumped() == 0.0


def test_soon_brings_a_job_forward_and_never_back(table: Timetable) -> None:
    count = Count()
    table.set([Job("later", count, every=3600.0)], None, "")
    table.start()
    table.soon("later", 0.0)
    table.soon("later", 1800.0)
    table.soon("nobody", 0.0)
    assert count.comes()


def broken() -> None:
    raise LedgerFault("broken")


def test_a_job_that_fails_again_and_again_is_tried_ever_more_seldom_and_said_to(table: Timetable) -> None:
    faults: list[Exception] = [RuntimeError("broken"), LedgerFault("broken"), RuntimeError("broken")]

    def fail() -> None:
        if faults:
            raise faults.pop()

    job = Job("job", fail, every=60.0)
    table.set([job], BERLIN, "")
    table.start()
    for times in (1, 2, 3):
        before = time.time()
        table._begin(job, BERLIN)
        assert table.failing() == {"job": times}
        assert 0 <= table.next()["job"].timestamp() - before - 60.0 * 2**times < PATIENCE
    resting = table.next()["job"]
    table.soon("job", 0.0)  # somebody stirs: it rests all the same
    assert table.next()["job"] == resting
    table._begin(job, BERLIN)
    assert table.failing() == {}
    table.soon("job", 30.0)
    assert table.next()["job"] < resting


def test_other_jobs_forget_what_failed_so_that_it_is_tried_at_once(table: Timetable) -> None:
    began = threading.Semaphore(0)

    def fail() -> None:
        began.release()
        raise LedgerFault("broken")

    job = Job("job", fail, every=60.0)
    table.set([job], BERLIN, "")
    table.start()
    table.soon("job", 0.0)
    assert began.acquire(timeout=PATIENCE)
    until(lambda: table.failing() == {"job": 1})
    table.set([job], BERLIN, "")
    assert table.failing() == {}
    table.soon("job", 0.0)
    assert began.acquire(timeout=PATIENCE)


def test_a_job_that_was_taken_out_while_it_ran_does_not_count_as_failing(table: Timetable) -> None:
    def fail() -> None:
        table.set([], BERLIN, "")
        broken()

    job = Job("gone", fail, every=60.0)
    table.set([job], BERLIN, "")
    table.start()
    table._begin(job, BERLIN)
    assert table.failing() == {}


def test_a_plan_keeps_its_hours_and_what_goes_on_always_goes_on_when_they_fail(table: Timetable) -> None:
    jobs = [Job("pulse", broken, every=600.0, always=True), Job("plan", broken, "0 3 * * *")]
    table.set(jobs, BERLIN, "")
    table.start()
    before = table.next()
    for job in jobs:
        table._begin(job, BERLIN)
    assert table.failing() == {"pulse": 1, "plan": 1}
    assert table.next() == before
