"""When things begin: APScheduler behind a thin typed wall, with hours in which nothing begins by itself, and clocks that jump."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from sync.cron import cron_fields, hours
from sync.errors import ZotdropError
from sync.service.pulse import Pulse

log = logging.getLogger("zotdrop.service")

JUMP = 5.0  # seconds by which the wall clock may drift from the steady one between two looks at them
REST_MOST = 600.0  # seconds until a job that fails again and again is tried once more


@dataclass(frozen=True, slots=True)
class Job:
    """What begins by itself. plan: as `sync.cron` reads it; empty: `every` so many seconds.  always: in quiet hours too."""

    name: str
    work: Callable[[], None]
    plan: str = ""
    every: float = 0.0
    always: bool = False


# APScheduler counts every time that was missed, before it makes one of them all: after a month of sleep, millions.
class _Every(IntervalTrigger):  # type: ignore[misc]  # APScheduler has no types
    """So many seconds apart; times that were missed are passed over."""

    def get_next_fire_time(self, before: datetime | None, now: datetime) -> datetime | None:
        """The next time after `before`, or if that is past, after `now`."""
        found: datetime | None = super().get_next_fire_time(before, now)
        return now + self.interval if before and found and _is_past(found, now) else found


class _Plan(CronTrigger):  # type: ignore[misc]  # APScheduler has no types
    """The fields of cron. In the night in which an hour comes twice, a plan that names hours counts it once, as cron does."""

    every_hour = True

    def get_next_fire_time(self, before: datetime | None, now: datetime) -> datetime | None:
        """The next time after `before`, or if that is past, after `now`; of an hour that is skipped, the moment it would be."""
        found: datetime | None = super().get_next_fire_time(before, now)
        if before and found and _is_past(found, now):
            found = super().get_next_fire_time(None, now)
        while found is not None and found.fold and not self.every_hour:
            found = super().get_next_fire_time(found, found)
        return found


def _is_past(moment: datetime, now: datetime) -> bool:
    """By the clock of the world: two moments of one zone are compared by what its clocks show, which may be the same twice."""
    return moment.timestamp() <= now.timestamp()


def trigger_of(plan: str, every: float, zone: tzinfo | None) -> _Plan | _Every:
    """When a plan says; so many seconds apart where it says nothing."""
    fields = cron_fields(plan) if plan else every
    if isinstance(fields, float):
        return _Every(seconds=fields)
    trigger = _Plan(**fields, timezone=zone)
    trigger.every_hour = fields["hour"].count(",") == 23
    return trigger


def quiet_until(quiet: str, moment: datetime) -> datetime | None:
    """The end of the quiet hours that this moment lies in, in its own zone; None if it lies in none."""
    if not quiet:
        return None
    start, end = hours(quiet)
    at = moment.hour * 60 + moment.minute
    if not (start <= at < end if start < end else at >= start or at < end):
        return None
    day = moment + timedelta(days=1) if start > end and at >= start else moment
    return day.replace(hour=end // 60, minute=end % 60, second=0, microsecond=0, fold=0)


class Timetable:
    """The jobs and when they begin. No job overlaps itself; one that is late, or several times late, begins once.

    began: is told the name of each job with a plan that begins.
    """

    def __init__(self, pulse: Pulse, began: Callable[[str], None] = lambda _: None) -> None:
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # that a job still runs is no news
        self._scheduler = BackgroundScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._quiet = ""
        self._zone: tzinfo | None = None
        self._pulse, self._began = pulse, began
        self._failing: dict[str, int] = {}

    def start(self) -> None:
        """From now on jobs begin."""
        self._scheduler.start()

    @property
    def runs(self) -> bool:
        """Whether it was started and not shut."""
        return bool(self._scheduler.running)

    def shut(self) -> None:
        """No job begins any more; those that have begun are not waited for."""
        self._scheduler.shutdown(wait=False)

    def set(self, jobs: Iterable[Job], zone: tzinfo | None, quiet: str) -> None:
        """These jobs instead of those that are there. One that runs goes on, and does not begin again before its end."""
        wanted = {job.name: (job, trigger_of(job.plan, job.every, zone)) for job in jobs}
        self._quiet, self._zone = quiet, zone
        self._failing = {}  # what failed may have been mended: each is tried at its time, and rests no more
        for known in self._scheduler.get_jobs():
            if known.id not in wanted:
                known.remove()
        for name, (job, trigger) in wanted.items():
            self._scheduler.add_job(self._begin, trigger, args=[job, zone], id=name, replace_existing=True)

    def soon(self, name: str, seconds: float) -> None:
        """Have this job begin in so many seconds, if it would not begin earlier; one that rests after a fault goes on resting."""
        job = self._scheduler.get_job(name)
        if job is not None and name not in self._failing:
            self._not_later(job, datetime.now(tz=job.next_run_time.tzinfo) + timedelta(seconds=seconds))

    def next(self) -> dict[str, datetime]:
        """When each job begins next, by its name."""
        return {job.id: job.next_run_time for job in self._scheduler.get_jobs() if self.runs and job.next_run_time}

    def failing(self) -> dict[str, int]:
        """Jobs whose last try ended with a fault, and how many tries in a row did."""
        return dict(self._failing)

    def quiet(self) -> datetime | None:
        """The end of the quiet hours, if these are some."""
        return quiet_until(self._quiet, datetime.now(self._zone).astimezone(self._zone))

    def since(self, name: str, moment: datetime) -> None:
        """Have a job that last began at that moment begin when its turn after it comes; at once, and once, if that is past."""
        job = self._scheduler.get_job(name)
        if job is not None and (due := job.trigger.get_next_fire_time(moment, moment)) is not None:
            now = datetime.now(tz=job.next_run_time.tzinfo)
            self._not_later(job, now if _is_past(due, now) else due)

    def clocks_jumped(self) -> None:
        """The wall clock was set: what would now begin too late begins in time, what was missed begins once."""
        for job in self._scheduler.get_jobs():
            moment = datetime.now(tz=job.next_run_time.tzinfo)
            if isinstance(job.trigger, IntervalTrigger):
                self._not_later(job, moment + job.trigger.interval)
            else:
                self._not_later(job, job.trigger.get_next_fire_time(None, moment))
        self._scheduler.wakeup()

    def _not_later(self, job: Any, moment: datetime | None) -> None:
        if moment is not None and moment < job.next_run_time:
            with suppress(JobLookupError):  # another config has taken it away meanwhile
                self._scheduler.modify_job(job.id, next_run_time=moment)

    def _begin(self, job: Job, zone: tzinfo | None) -> None:
        """Do it, unless these are quiet hours: then at their end. A fault is told and never ends the schedule."""
        end = None if job.always else self.quiet()
        if end is not None:
            with suppress(JobLookupError):
                self._scheduler.modify_job(job.name, next_run_time=end.astimezone(zone))
            return
        try:
            with self._pulse.doing(job.name):
                if job.plan:
                    self._began(job.name)
                job.work()
        except ZotdropError as fault:
            log.error("%s", fault)  # noqa: TRY400  # the message is for people, no traceback
            self._rest(job)
        except Exception:
            log.exception("unexpected fault; the service goes on")
            self._rest(job)
        else:
            self._failing.pop(job.name, None)

    def _rest(self, job: Job) -> None:
        """What fails again and again is tried ever more seldom; what was taken out while it ran is none of ours any more."""
        if self._scheduler.get_job(job.name) is None:
            return
        times = self._failing[job.name] = self._failing.get(job.name, 0) + 1
        if job.plan or job.always:
            return
        rest = max(job.every, min(job.every * 2.0 ** min(times, 20), REST_MOST))
        with suppress(JobLookupError):
            self._scheduler.modify_job(
                job.name, next_run_time=datetime.now(self._zone).astimezone() + timedelta(seconds=rest)
            )


class Clocks:
    """Notices that the wall clock was set, or that the machine slept. now: steady seconds.  wall: seconds since the epoch."""

    def __init__(self, now: Callable[[], float], wall: Callable[[], float]) -> None:
        self._now, self._wall = now, wall
        self._apart = wall() - now()

    def jumped(self) -> float:
        """By how many seconds the wall clock went ahead of the steady one since the last look; 0 for what is only drift."""
        apart = self._wall() - self._now()
        jump, self._apart = apart - self._apart, apart
        return jump if abs(jump) > JUMP else 0.0
