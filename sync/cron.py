"""Schedules: `every 15m`, or the five fields of cron with cron's own weekdays."""

from __future__ import annotations

import re

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day_of_week", 0, 7))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def seconds(text: str | float) -> float:
    """A duration in seconds: `90`, `"90s"`, `"15m"`, `"1h"`, `"2d"`. Raises ValueError."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        if text < 0:
            raise ValueError("a duration cannot be negative")
        return float(text)
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*", str(text))
    if not found:
        raise ValueError(f'a duration such as "90s", "15m", "1h" or "2d" is needed, got {text!r}')
    return float(found.group(1)) * _UNITS[found.group(2)]


def cron_fields(text: str) -> float | dict[str, str]:
    """A schedule: seconds between two runs (`every 15m`), or the fields of cron, weekdays by name (0 and 7 are Sunday).

    Raises ValueError for what is neither, and for a plan that never comes round (`0 0 31 2 *`).
    """
    every = re.fullmatch(r"\s*every\s+(.+)", text)
    if every:
        gap = seconds(every.group(1))
        if gap < 1:
            raise ValueError("at most once a second")
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


def _values(word: str, name: str, low: int, high: int) -> list[int]:
    return sorted({value for part in word.split(",") for value in _range(part, name, low, high)})


def _range(part: str, name: str, low: int, high: int) -> range:
    found = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", part)
    if not found:
        raise ValueError(f"{part!r} is no {name} of cron")
    first, last, step = found.group(1), found.group(2), int(found.group(3) or 1)
    if step < 1:
        raise ValueError(f"{part!r}: a step of 0 never moves on")
    start = low if first == "*" else _number(first, name, low, high)
    open_end = first == "*" or (found.group(3) and not last)
    end = (6 if name == "day_of_week" else high) if open_end else _number(last, name, low, high) if last else start
    if end < start:
        raise ValueError(f"{part!r} runs backwards")
    return range(start, end + 1, step)


def _number(word: str, name: str, low: int, high: int) -> int:
    names = {"month": _MONTHS, "day_of_week": _DAYS}.get(name, ())
    if word.lower() in names:
        return names.index(word.lower()) + low
    if not word.isdigit() or not low <= int(word) <= high:
        raise ValueError(f"{word!r} is no {name} of cron ({low}-{high})")
    return int(word)
