"""Schedules as cron has them, and durations."""

from __future__ import annotations

import pytest

from sync.cron import cron_fields, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90.0), ("90s", 90.0), ("15m", 900.0), ("1h", 3600.0), ("2d", 172800.0), (5, 5.0), (0.5, 0.5)],
)
def test_a_duration_is_seconds(text: str | float, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["soon", "", "-5", "5 weeks", True, -1])
def test_what_is_no_duration_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match=r"duration"):
        seconds(text)


def test_every_so_often_is_an_interval() -> None:
    assert cron_fields("every 15m") == 900.0
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
    ],
)
def test_weekdays_count_from_sunday_as_cron_has_them(text: str, weekdays: str) -> None:
    fields = cron_fields(text)
    assert isinstance(fields, dict)
    assert fields["day_of_week"] == weekdays
    assert (fields["minute"], fields["hour"]) == ("0", "3")


def test_steps_ranges_and_names_are_spread_out() -> None:
    fields = cron_fields("*/20 8-10,20 1 jan-mar *")
    assert fields == {"minute": "0,20,40", "hour": "8,9,10,20", "day": "1", "month": "1,2,3", "day_of_week": "*"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 0 31 2 *", "never comes"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 1 1 1", "name only one"),
        ("0 0 *", "five fields"),
        ("61 0 * * *", "no minute"),
        ("0 0 * * frei", "no day_of_week"),
        ("0 5-3 * * *", "backwards"),
        ("*/0 * * * *", "step of 0"),
        ("a-b-c * * * *", "no minute"),
    ],
)
def test_a_plan_that_is_none_or_never_comes_round_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        cron_fields(text)


def test_a_leap_day_comes_round() -> None:
    assert isinstance(cron_fields("0 0 29 2 *"), dict)
