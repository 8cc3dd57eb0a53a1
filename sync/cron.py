"""Schedules: `every 15m`, or the five fields of cron with cron's own weekdays; and hours of the day, `08:00-18:00`."""

from __future__ import annotations

import re

MOST = 366 * 86400.0  # seconds; longer is a slip of the pen, and calendars break on much longer ones

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day_of_week", 0, 7))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def seconds(text: str | float) -> float:
    """A duration in seconds: `90`, `"90s"`, `"15m"`, `"1h"`, `"2d"`; a year at most. Raises ValueError."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        value = float(text)
    else:
        found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([smhd]?)\s*", str(text), re.ASCII)
        if not found:
            raise ValueError(f'a duration such as "90s", "15m", "1h" or "2d" is needed, got {text!r}')
        value = float(found.group(1)) * _UNITS[found.group(2)]
    if not 0 <= value <= MOST:  # not a number is in no range
        raise ValueError(f"a duration between 0 and 366 days is needed, got {text!r}")
    return value


def cron_fields(text: str) -> float | dict[str, str]:
    """A schedule: seconds between two runs (`every 15m`), or the fields of cron, weekdays by name (0 and 7 are Sunday).

    Raises ValueError for what is neither, and for a plan that never comes round (`0 0 31 2 *`).
    """
    every = re.fullmatch(r"\s*every\s+(.+)", text, re.IGNORECASE)
    if every:
        gap = seconds(every.group(1))
        if gap < 1:
            raise ValueError(f"at most once a second, got {text!r}")
        return gap
    words = text.split()
    if len(words) != len(_FIELDS):
        raise ValueError(f'five fields of cron, or "every 15m", are needed, got {text!r}')
    values = {name: _values(word, name, low, high) for word, (name, low, high) in zip(words, _FIELDS, strict=True)}
    if words[2] != "*" and words[4] != "*":
        raise ValueError("day of month and weekday together mean different things to different programs; name only one")
    if not any(day <= _LONGEST[month - 1] for day in values["day"] for month in values["month"]):
        raise ValueError(f"{text!r} names a day that never comes")
    days = sorted({_DAYS[day] for day in values["day_of_week"]}, key=_DAYS.index)
    fields = {name: ",".join(map(str, values[name])) for name, _, _ in _FIELDS[:4]}
    return {**fields, "day_of_week": "*" if words[4] == "*" else ",".join(days)}


def hours(text: str) -> tuple[int, int]:
    """Hours of the day, `08:00-18:00`, as minutes after midnight; the end may lie on the next day. Raises ValueError."""
    found = re.fullmatch(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*", text, re.ASCII)
    if not found:
        raise ValueError(f'hours such as "08:00-18:00" are needed, got {text!r}')
    hour, minute, last_hour, last_minute = map(int, found.groups())
    if max(minute, last_minute) > 59 or hour > 23 or last_hour * 60 + last_minute > 1440:
        raise ValueError(f"{text!r} names a time that no clock shows")
    start, end = hour * 60 + minute, (last_hour * 60 + last_minute) % 1440
    if start == end:
        raise ValueError(f"{text!r} leaves no time, or takes none; leave it empty to have no such hours")
    return start, end


def _values(word: str, name: str, low: int, high: int) -> list[int]:
    return sorted({value for part in word.split(",") for value in _range(part, name, low, high)})


def _range(part: str, name: str, low: int, high: int) -> range:
    found = re.fullmatch(r"(?:(\*)|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/(\d{1,3}))?", part.lower(), re.ASCII)
    if not found:
        raise ValueError(f"{part!r} is no {name} of cron")
    every, first, last, step = found.groups()
    if step and int(step) < 1:
        raise ValueError(f"{part!r}: a step of 0 never moves on")
    start = low if every else _number(first, name, low, high)
    end = _number(last, name, low, high, is_end=True) if last else start
    if every or (step and not last):  # `*/2`, `5/2`: as far as it goes; the second Sunday is the first
        end = max(start, 6 if name == "day_of_week" else high)
    if end < start:
        raise ValueError(f"{part!r} runs backwards; two ranges with a comma between them say the same")
    return range(start, end + 1, int(step or 1))


def _number(word: str, name: str, low: int, high: int, *, is_end: bool = False) -> int:
    """A number, or the name that stands for it; Sunday at the end of a range is the seventh day."""
    names = {"month": _MONTHS, "day_of_week": _DAYS}.get(name, ())
    if word in names:
        return 7 if is_end and word == "sun" else names.index(word) + low
    if not word.isdecimal() or len(word) > 3 or not low <= int(word) <= high:
        raise ValueError(f"{word!r} is no {name} of cron ({low}-{high})")
    return int(word)
