"""Schedules as cron has them, and durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import event, example, given
from hypothesis import strategies as st

from sync.cron import MOST, cron_fields, seconds

LIMITS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day_of_week", 0, 6))
EVERY = [("*", set(range(low, high + 1))) for _, low, high in LIMITS]
LONGEST = dict.fromkeys(range(1, 13), 31) | dict.fromkeys((4, 6, 9, 11), 30) | {2: 29}


def fields(text: str) -> dict[str, str]:
    found = cron_fields(text)
    assert isinstance(found, dict)
    return found


def next_time(text: str, after: datetime) -> datetime:
    """When the scheduler that the daemon uses fires next."""
    fires = CronTrigger(**fields(text), timezone=UTC).get_next_fire_time(None, after)
    assert isinstance(fires, datetime)
    return fires


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90.0), ("90s", 90.0), ("15m", 900.0), ("1h", 3600.0), ("2d", 172800.0), (5, 5.0), (0.5, 0.5)],
)
def test_a_duration_is_seconds(text: str | float, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text",
    ["soon", "", "-5", "5 weeks", True, -1, float("nan"), float("inf"), MOST + 1, "367d", "9" * 400, "1\u00b2s", "1.s"],
)
def test_what_is_no_duration_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match=r"duration"):
        seconds(text)


def test_every_so_often_is_an_interval() -> None:
    assert cron_fields("every 15m") == 900.0
    assert cron_fields(" Every 2 h ") == 7200.0
    with pytest.raises(ValueError, match="once a second"):
        cron_fields("every 0s")


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("0 3 * * 0", "sun"),
        ("0 3 * * 7", "sun"),
        ("0 3 * * 1-5", "mon,tue,wed,thu,fri"),
        ("0 3 * * mon,SUN", "sun,mon"),
        ("0 3 * * *", "*"),
        ("0 3 * * fri-sun", "sun,fri,sat"),
        ("0 3 * * 5-7", "sun,fri,sat"),
        ("0 3 * * 0-7", "sun,mon,tue,wed,thu,fri,sat"),
        ("0 3 * * sun-tue", "sun,mon,tue"),
        ("0 3 * * */2", "sun,tue,thu,sat"),
        ("0 3 * * 7/2", "sun"),
        ("0 3 * * 1,0", "sun,mon"),
    ],
)
def test_weekdays_count_from_sunday_as_cron_has_them(text: str, weekdays: str) -> None:
    found = fields(text)
    assert found["day_of_week"] == weekdays
    assert (found["minute"], found["hour"]) == ("0", "3")


def test_steps_ranges_and_names_are_spread_out() -> None:
    assert fields("*/20 8-10,20 1 jan-mar *") == {
        "minute": "0,20,40",
        "hour": "8,9,10,20",
        "day": "1",
        "month": "1,2,3",
        "day_of_week": "*",
    }
    assert fields("50/5 18-22/2 10,20-22 * *") == {
        "minute": "50,55",
        "hour": "18,20,22",
        "day": "10,20,21,22",
        "month": "1,2,3,4,5,6,7,8,9,10,11,12",
        "day_of_week": "*",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 0 31 2 *", "never comes"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("0 0 1 1 1", "name only one"),
        ("0 0 */2 * mon", "name only one"),
        ("0 0 *", "five fields"),
        ("61 0 * * *", "no minute"),
        ("0 0 * * frei", "no day_of_week"),
        ("0 5-3 * * *", "backwards"),
        ("*/0 * * * *", "step of 0"),
        ("a-b-c * * * *", "no minute"),
        ("*-5 * * * *", "no minute"),
        ("0 24 * * *", r"no hour of cron \(0-23\)"),
        ("0 0 0 * *", "no day"),
        ("0 0 * 13 *", "no month"),
        ("0 0 * * 8", "no day_of_week"),
        ("0 0 * * sat-mon", "two ranges"),
        ("0 0 * mon *", "no month"),
        ("1,,2 * * * *", "no minute"),
        ("\u0663 * * * *", "no minute"),
        ("@daily", "five fields"),
        ("   ", "five fields"),
        ("0 0 0 * * *", "five fields"),
        ("every", "five fields"),
        ("every now and then", "duration"),
    ],
)
def test_a_plan_that_is_none_or_never_comes_round_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        cron_fields(text)


def test_a_leap_day_comes_round() -> None:
    assert next_time("0 0 29 2 *", datetime(2026, 11, 23, tzinfo=UTC)) == datetime(2028, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("0 3 * * 0", datetime(2026, 11, 29, 3, tzinfo=UTC)),  # 29 November 2026 is a Sunday
        ("0 3 * * 7", datetime(2026, 11, 29, 3, tzinfo=UTC)),
        ("0 3 * * 1", datetime(2026, 11, 30, 3, tzinfo=UTC)),
        ("0 3 * * mon", datetime(2026, 11, 30, 3, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 11, 23, 12, 15, tzinfo=UTC)),
        ("30 2 1 1 *", datetime(2027, 1, 1, 2, 30, tzinfo=UTC)),
    ],
)
def test_the_scheduler_takes_it_on_the_day_that_cron_means(text: str, fires: datetime) -> None:
    assert next_time(text, datetime(2026, 11, 23, 12, 1, tzinfo=UTC)) == fires


@st.composite
def words(draw: st.DrawFn, low: int, high: int) -> tuple[str, set[int]]:
    """A field of cron, and the numbers that it means."""
    shape = draw(st.sampled_from(["*", "n", "a-b", "*/s", "a-b/s"]))
    first = draw(st.integers(low, high))
    last, step = draw(st.integers(first, high)), draw(st.integers(1, 7))
    return {
        "*": ("*", set(range(low, high + 1))),
        "n": (f"{first}", {first}),
        "a-b": (f"{first}-{last}", set(range(first, last + 1))),
        "*/s": (f"*/{step}", set(range(low, high + 1, step))),
        "a-b/s": (f"{first}-{last}/{step}", set(range(first, last + 1, step))),
    }[shape]


@given(
    st.tuples(*(words(low, high) for _, low, high in LIMITS)),
    st.integers(0, 2 * 366 * 24 * 60),
)
@example((EVERY[0], EVERY[1], ("30-31", {30, 31}), ("2", {2}), EVERY[4]), 1)
@example((*EVERY[:4], ("0", {0})), 1)
def test_whatever_cron_means_the_scheduler_fires_then_and_not_before(
    parts: tuple[tuple[str, set[int]], ...], minutes: int
) -> None:
    asked = [word for word, _ in parts]
    if asked[2] != "*":
        asked[4] = "*"
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    if not any(day <= LONGEST[month] for day in parts[2][1] for month in parts[3][1]):
        event("never")
        with pytest.raises(ValueError, match="never comes"):
            cron_fields(" ".join(asked))
        return
    event("fires")
    fires = next_time(" ".join(asked), after)
    meant = [numbers if word != "*" else None for word, (_, numbers) in zip(asked, parts, strict=True)]
    assert fires >= after
    assert all(numbers is None or value in numbers for value, numbers in zip(parts_of(fires), meant, strict=True))
    earlier = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(min(int((fires - earlier).total_seconds() // 60), 300)):
        assert not all(n is None or value in n for value, n in zip(parts_of(earlier), meant, strict=True))
        earlier += timedelta(minutes=1)


def parts_of(moment: datetime) -> tuple[int, ...]:
    """What cron looks at: minute, hour, day, month, weekday from Sunday = 0."""
    return moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7
