"""The daemon: looks into inboxes, carries out orders one at a time, and never ends by a fault."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from filelock import Timeout

from sync import drops, wiring
from sync.config import Config
from sync.errors import ConfigFault, Locked, ZotdropError
from sync.health.bulletin import Bulletin
from sync.notify.teller import Teller
from sync.orders import Order, carry_out, daemon_lock, examine, worst
from sync.report import RunReport, as_json, as_text
from sync.report.lines import log_lines
from sync.service.events import Events
from sync.service.jobs import jobs_of
from sync.service.pulse import Pulse
from sync.service.standstill import Standstills
from sync.service.systemd import notify, reloading
from sync.service.timetable import Clocks, Timetable
from sync.service.watching import Watch
from sync.state.ledger import Ledger
from sync.state.uploads import any_open
from sync.steps.tools import instant
from sync.stopping import Stop

log = logging.getLogger("zotdrop.service")

AT_ONCE = 200  # drops that travel in one run: what a run remembers of them must not grow with the inbox
LOOK_MOST = 60.0  # seconds that listing a folder may take; a network disk that is away hangs for ever
RUN_MOST = 900.0  # seconds for which a run may give no sign of life


class Daemon:
    """Watches the inboxes of a config until it is stopped. now: monotonic seconds.  wall: seconds since the epoch."""

    def __init__(
        self, config: Config, *, now: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self.config = config
        self.stop = Stop()
        self.pulse = Pulse(now)
        self.bulletin = Bulletin(config.state.path, config.inbox, now=wiring.utc_now, outlook=self._outlook)
        self.worst_code = 0
        self.timetable = Timetable(self.pulse, self._note_turn)
        self.events = Events(self._stirred)
        self._now = now
        self._ended = threading.Event()
        self._at_work = threading.Lock()
        self._watches = {name: Watch.of(name, inbox, config.schedule) for name, inbox in config.inbox.items()}
        self._lock = daemon_lock(config)
        self._standstills = Standstills(now)
        self._teller = Teller(config)
        self._clocks = Clocks(now, wall)
        self._ledger_seen: object = None
        self._late = ""
        self._full = False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """As the only daemon on this state. Raises Locked."""
        try:
            self._lock.acquire(timeout=0.3)  # somebody may be looking just now whether we live
        except Timeout:
            raise Locked(f"{self.config.state.path}: a zotdrop daemon already runs on this state") from None
        try:
            examine(self.config)
            ledger = Ledger.open(Path(self.config.state.path))
            ledger.wishes.release()
            ledger.close()
            self._come_to_life()
            yield
            self.bulletin.end()
        finally:
            self._lock.release()

    def start(self) -> None:
        """From now on things begin by themselves."""
        self._take_up(self.config)
        self.timetable.start()
        self._teller.start()
        self._make_up()
        self._tell_ready()

    def stop_work(self) -> None:
        """Nothing begins any more, and what is under way is asked to end."""
        self._ended.set()
        self.stop.set()
        self.events.end()
        if self.timetable.runs:
            self.timetable.shut()
        self._teller.stop()

    def tick(self) -> None:
        """Each second: see whether the clocks were set or the machine slept, and whether somebody handed an order over."""
        jump = self._clocks.jumped()
        if jump:
            log.info("the clock went %.0f s %s; the timetable follows", abs(jump), "ahead" if jump > 0 else "back")
            self.timetable.clocks_jumped()
        if self._ledger_stirred():
            self.timetable.soon("orders", 0.0)

    def read_again(self, load: Callable[[], Config]) -> None:
        """Take another config; a faulty one is told, and the old one stays. What is under way ends as it began."""
        reloading()
        try:
            self._take_up(_same_state(load(), self.config))
            self._make_up()
        except ZotdropError as fault:
            log.error("the config is refused, the old one stays: %s", fault)  # noqa: TRY400  # for people, no traceback
        except Exception:  # whatever it is, the old one goes on
            log.exception("the config cannot be read, the old one stays")
        else:
            log.info("the config was read again")
        self._tell_ready()

    def beat(self) -> None:
        """Write down how we stand, for who asks from beside."""
        self.bulletin.beat()

    def feed(self) -> None:
        """Tell systemd that we live, if we do: a job of the timetable, so that it speaks for the timetable too."""
        before, self._late = self._late, self.pulse.overdue()
        if not self._late:
            notify("WATCHDOG=1")
        elif self._late != before:
            log.error("%s: no sign of life for too long; the watchdog is not fed any more", self._late)

    def once(self) -> int:
        """Work off what lies in the inboxes, and the orders that wait; the exit code."""
        self.take_orders()
        self._carry(self.config, Order(wait_sources=True))
        self._teller.round()
        return self.worst_code

    def look(self, name: str) -> None:
        """One look at an inbox: what has settled is worked off."""
        config, watch = self.config, self._watches.get(name)
        if watch is None or self._stands_still(config, watch.inbox.library):
            return
        was_missing = watch.missing
        with self._looking(watch):
            ready = watch.look(self._now())
        if was_missing and not watch.missing:
            self.events.watch(config)
        if ready and self._has_room(config):
            for start in range(0, len(ready), AT_ONCE):
                self._work(config, watch, ready[start : start + AT_ONCE])
        if watch.due_in(self._now()) < watch.inbox.poll_seconds:
            self.timetable.soon(f"inbox-{name}", watch.due_in(self._now()))

    def run_inbox(self, name: str) -> None:
        """What a schedule does: wait for what lies in the inbox to settle, and work it off."""
        config, watch = self.config, self._watches.get(name)
        if watch is None or self._stands_still(config, watch.inbox.library):
            return
        with self._looking(watch):
            watch.see()
        reports = self._carry(config, Order(inbox=name, wait_sources=True))
        done = {drop.path: drop for report in reports for drop in report.drops if drop.done}
        with self._looking(watch):
            watch.see()
            watch.came([path for path in watch.listing if drops.legible(path) in done], done, self._now())

    def take_orders(self) -> None:
        """Carry out what was handed over by commands beside, oldest first."""
        ledger = wiring.open_ledger(self.config)
        try:
            while not self._ended.is_set() and (wish := ledger.wishes.take()):
                code, answer = self._answer(wish.arguments, partial(ledger.wishes.tell, wish.id))
                ledger.wishes.end(wish.id, code, answer)
        finally:
            ledger.close()

    def fill_owed(self) -> None:
        """Ask the services that were away for what they owe, if they owe anything."""
        ledger = wiring.open_ledger(self.config)
        try:
            owed = ledger.records.any_owed() or any_open(ledger.database)
        finally:
            ledger.close()
        if owed:
            self.for_each_library(Order(owed_only=True))

    def for_each_library(self, order: Order) -> None:
        """The order for every library that an inbox has; one that stands still does not keep the others."""
        config = self.config
        for library in sorted({inbox.library for inbox in config.inbox.values()}):
            if not self._stands_still(config, library):
                self._carry(config, replace(order, library=library))

    def carry(self, order: Order) -> None:
        """An order that no library is asked for."""
        self._carry(self.config, order)

    @contextmanager
    def _looking(self, watch: Watch) -> Iterator[None]:
        """A look at an inbox; how it stands after that is told to the bulletin."""
        with self.pulse.doing(f"looking into {watch.inbox.path}", LOOK_MOST):
            yield
            held = watch.held(self._now())
        self.bulletin.looked(watch.name, watch.waiting, held)

    def _come_to_life(self) -> None:
        """The bulletin begins; a life before that ended without a word is told of."""
        before = self.bulletin.begin()
        if before:
            since = before.get("beat", "")
            told = f"the service runs again; it had ended without a word ({since})"
            self._teller.happened("recovered", f"crash@{since}", told)

    def _outlook(self) -> dict[str, Any]:
        """What comes next: each inbox's look, each other job, drops that are tried again; quiet hours, and jobs that fail."""
        now = wiring.utc_now()
        retries = [
            {"path": str(path), "inbox": name, "at": instant(now + timedelta(seconds=seconds))}
            for name, watch in list(self._watches.items())
            for path, seconds in watch.retries(self._now()).items()
        ]
        following = {name: instant(at.astimezone(UTC)) for name, at in self.timetable.next().items()}
        quiet = self.timetable.quiet()
        return {
            "next": following,
            "retries": retries,
            "quiet_until": instant(quiet.astimezone(UTC)) if quiet else "",
            "failing": self.timetable.failing(),
        }

    def _take_up(self, config: Config) -> None:
        """Go on with this config; what is known of an inbox that stays the same is kept."""
        wanted = {name: Watch.of(name, inbox, config.schedule) for name, inbox in config.inbox.items()}
        known = {name: watch for name, watch in self._watches.items() if name in wanted and watch.is_like(wanted[name])}
        self.timetable.set(jobs_of(self, config), config.zone(), config.schedule.quiet_hours)
        self._watches = wanted | known
        self.config = config
        self._standstills.forget()
        self.events.watch(config)
        self._teller = self._teller.succeeded_by(Teller(config))

    def _make_up(self) -> None:
        """Plans whose turn was missed while no service ran begin now; one that is new is counted from now on."""
        ledger = wiring.open_ledger(self.config)
        try:
            for job in jobs_of(self, self.config):
                if job.plan and (last := ledger.turns.last(job.name)):
                    self.timetable.since(job.name, datetime.fromisoformat(last))
                elif job.plan:
                    ledger.turns.note(job.name, instant(wiring.utc_now()))
        finally:
            ledger.close()

    def _note_turn(self, name: str) -> None:
        ledger = wiring.open_ledger(self.config)
        try:
            ledger.turns.note(name, instant(wiring.utc_now()))
        finally:
            ledger.close()

    def _tell_ready(self) -> None:
        notify("READY=1\nSTATUS=watching " + ", ".join(self.config.inbox))
        log.info("watching %s", ", ".join(str(inbox.path) for inbox in self.config.inbox.values()))

    def _stirred(self, name: str) -> None:
        """Something happened in this inbox: the next look comes at once."""
        if not self._ended.is_set():
            self.timetable.soon(f"inbox-{name}", 0.0)

    def _ledger_stirred(self) -> bool:
        """Whether somebody wrote to the ledger since the last time."""
        path = self.config.state.path
        before, self._ledger_seen = self._ledger_seen, (_stamp(path), _stamp(f"{path}-wal"))
        return self._ledger_seen != before

    def _has_room(self, config: Config) -> bool:
        """Whether there is space for new drops; that there is none, and that there is again, is told once."""
        before, self._full = self._full, wiring.free_mb(config) < config.state.min_free_mb
        if self._full and not before:
            least = f"[state] min_free_mb = {config.state.min_free_mb}"
            log.error("%s: less than %s is free; nothing new is taken in", config.state.path, least)
        if before and not self._full:
            log.info("%s: there is room again", config.state.path)
        return not self._full

    def _stands_still(self, config: Config, library: str) -> bool:
        if self._standstills.lasts(config, library):
            return True
        if self._standstills.ended(library):
            for watch in self._watches.values():
                if watch.inbox.library == library:
                    watch.try_again()  # what waited for it is due now
        return False

    def _work(self, config: Config, watch: Watch, paths: Sequence[str]) -> None:
        if self._ended.is_set():
            return
        reports = self._carry(config, Order(paths=tuple(paths), inbox=watch.name, wait_sources=True))
        told = {drop.path: drop for report in reports for drop in report.drops}
        watch.came(paths, told, self._now())

    def _carry(self, config: Config, order: Order, tell: Callable[[str], None] | None = None) -> list[RunReport]:
        """One order at a time; a fault is logged, and the daemon goes on."""
        with self._at_work, self._under_way():
            if self._ended.is_set():
                return []
            try:
                with self.bulletin.at_work(order.inbox or "", _teller(tell)) as told:
                    reports = carry_out(config, order, kind="daemon", stop=self.stop, tell=told)
            except ZotdropError as fault:
                log.error("%s", fault)  # noqa: TRY400  # the message is for people, no traceback
                self.worst_code = self.worst_code or fault.exit_code
                self._teller.raised(fault, order.inbox or order.library or "")
                self.bulletin.ended(order.inbox or "", [], kind="daemon")
                return []
        for report in reports:
            for level, drop, line in log_lines(report):
                log.log(level, "%s", line, extra={"run": report.run, "drop": drop})
        self._teller.after(reports, order.inbox or order.library or "")
        self.bulletin.ended(order.inbox or "", reports, kind="daemon")
        self.worst_code = self.worst_code or worst(reports, strict=False)
        if any(report.failure_code == ConfigFault.exit_code for report in reports):
            self._leave_alone(config, order)
        return reports

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        try:
            with self.pulse.doing("a run", RUN_MOST, heard=lambda: self.stop.heard):
                yield
        finally:
            notify(f"STATUS=watching {', '.join(self.config.inbox)}")

    def _leave_alone(self, config: Config, order: Order) -> None:
        """The library that refused us; `once` goes through all inboxes and ends."""
        library = order.library or (config.inbox[order.inbox].library if order.inbox else "")
        if library:
            self._standstills.begin(config, library)

    def _answer(self, arguments: Any, tell: Callable[[str], None]) -> tuple[int, dict[str, Any]]:
        """Carry out an order from beside: exit code and what the command shall print."""
        wanted = dict(arguments)
        strict = wanted.pop("strict", False)
        verbose = wanted.pop("verbose", False)
        with self._at_work, self._under_way():
            try:
                order = Order.from_json(wanted)
                with self.bulletin.at_work(order.inbox or "", _teller(tell)) as told:
                    reports = carry_out(self.config, order, kind="sync", stop=self.stop, tell=told)
            except ZotdropError as fault:
                return fault.exit_code, {"error": str(fault), "reports": [], "texts": []}
            except Exception as fault:  # whatever it is, who ordered must hear of it
                log.exception("an order failed")
                return 1, {"error": f"unexpected: {fault!r}", "reports": [], "texts": []}
        self.bulletin.ended("", reports, kind="sync")
        texts = [as_text(report, verbose=verbose) for report in reports]
        return worst(reports, strict=strict), {"reports": [as_json(report) for report in reports], "texts": texts}


def _same_state(config: Config, before: Config) -> Config:
    if config.state.path != before.state.path:
        raise ConfigFault(f"[state] path: {config.state.path}: another ledger needs a new start of the service")
    return config


def _teller(tell: Callable[[str], None] | None) -> Callable[[str, int, int], None]:
    def told(text: str, done: int, total: int) -> None:
        line = f"{text}: {done} of {total}" if total else f"{text}: {done}"
        notify(f"STATUS={line}")
        if tell:
            tell(line)

    return told


def _stamp(path: str) -> tuple[int, int]:
    try:
        facts = os.stat(path)  # noqa: PTH116 (each second: a path would cost more than the look)
    except OSError:
        return (0, 0)
    return (facts.st_size, facts.st_mtime_ns)
