"""When jobs come again, wherever the clock jumps to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sync.triggers import Cron, Every

START = datetime(2026, 11, 27, 12, tzinfo=UTC)
YEARS = timedelta(days=365 * 56)


def times(trigger: Every | Cron, planned: datetime, now: datetime) -> tuple[int, datetime]:
    """What a scheduler does with a job that is due: count what was missed, until a time lies ahead."""
    count, due = 0, planned
    while due <= now:
        count += 1
        assert count < 5, "it counts what was missed, one by one"
        following = trigger.get_next_fire_time(due, now)
        assert following is not None
        due = following
    return count, due


@pytest.mark.parametrize(
    "trigger", [Every(1.0), Cron(minute="*", timezone=UTC), Cron(minute="*/5", timezone=ZoneInfo("Europe/Berlin"))]
)
def test_a_clock_set_forward_by_years_is_one_missed_time(trigger: Every | Cron) -> None:
    count, due = times(trigger, START, START + YEARS)
    assert count == 1
    assert timedelta(0) < due - (START + YEARS) <= timedelta(minutes=5)


def test_a_job_that_is_on_time_keeps_its_beat() -> None:
    """A little late is not later and later."""
    assert Every(60).get_next_fire_time(START, START + timedelta(seconds=7)) == START + timedelta(seconds=60)
    assert Every(60).get_next_fire_time(None, START) == START + timedelta(seconds=60)


@given(late=st.floats(-1e9, 1e9), gap=st.floats(0.05, 1e6))
def test_the_next_time_lies_ahead_and_no_further_than_one_gap(late: float, gap: float) -> None:
    now = START + timedelta(seconds=late)
    due = Every(gap).get_next_fire_time(START, now)
    event(f"{'late' if late > gap else 'in time' if late >= 0 else 'set back'}")
    assert now < due <= now + timedelta(seconds=gap)


def test_a_calendar_gives_each_of_its_times_once() -> None:
    daily = Cron(hour="3", timezone=UTC)
    first = daily.get_next_fire_time(None, START)
    assert first == datetime(2026, 11, 28, 3, tzinfo=UTC)
    assert daily.get_next_fire_time(first, first) == datetime(2026, 11, 29, 3, tzinfo=UTC)
    assert daily.get_next_fire_time(None, first) == first
