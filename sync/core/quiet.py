"""The hours at which NCBI wants long series of requests: weekends, and 21:00 to 05:00 US Eastern time on other days.

https://www.ncbi.nlm.nih.gov/books/NBK25497/ ("Frequency, Timing and Registration of E-utility URL Requests").
"""

from __future__ import annotations

from datetime import datetime, timedelta

_EASTERN = (timedelta(hours=-5), timedelta(hours=-4))  # standard and summer time; no time zone table is needed so
_SATURDAY, _NIGHT, _MORNING = 5, 21, 5


def is_quiet(moment: datetime) -> bool:
    """Whether a moment (UTC) is off peak, by both of the clocks that US Eastern time knows: an hour at either end is given away."""
    return all(_quiet(moment + shift) for shift in _EASTERN)


def _quiet(local: datetime) -> bool:
    return local.weekday() >= _SATURDAY or local.hour >= _NIGHT or local.hour < _MORNING
