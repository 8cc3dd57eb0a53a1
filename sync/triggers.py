"""When a job comes again. APScheduler's own triggers count every time that was missed, one by one: a clock that is set forward by years,
as on a board without a battery, would keep the service counting for hours, with all of it in memory. These know one missed time at most.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

_A_MOMENT = timedelta(microseconds=1)


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """So many seconds after the last time; from now on, where that is past or the clock was set."""

    def __init__(self, seconds: float) -> None:
        self._gap = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next time, always later than now."""
        due = (previous_fire_time or now) + self._gap
        return due if now < due <= now + self._gap else now + self._gap


class Cron(CronTrigger):  # type: ignore[misc]  # APScheduler has no types
    """The times of a calendar, as APScheduler has them, from now on."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next time; later than now where there was one before."""
        after = now + _A_MOMENT if previous_fire_time else now
        found: datetime | None = super().get_next_fire_time(None, after)
        return found
