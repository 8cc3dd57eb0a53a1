"""The daemon: inboxes are looked at on schedule, settled drops are worked off, orders from beside are taken. No rule of the domain."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from filelock import Timeout

from sync import drops, wiring
from sync.config import Config
from sync.cron import cron_fields
from sync.errors import ConfigFault, Locked, ZotdropError
from sync.orders import Order, carry_out, daemon_lock, worst
from sync.report import RunReport, as_json, as_text
from sync.state.ledger import Ledger
from sync.state.uploads import any_open
from sync.triggers import Cron, Every

log = logging.getLogger("zotdrop.service")

CLOCK_EVERY = 5.0  # seconds between two looks at the clock; set back by less it does no harm
ORDERS_EVERY = 1.0  # seconds between two looks for orders from beside


@dataclass(slots=True)
class Retry:
    """A drop that stays in its inbox: when it is tried again, and how long was waited last."""

    at: float
    delay: float
    stamp: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Standstill:
    """A library that refused us: when it is looked at again, and the file of its key as it was then."""

    until: float
    key: tuple[int, int]


@dataclass(slots=True)
class Watch:
    """What the daemon remembers of one inbox between two looks. All of it can be lost: the ledger knows the rest."""

    settle: drops.Settle
    retries: dict[Path, Retry] = field(default_factory=dict)
    missing: bool = False


class Daemon:
    """Watches the inboxes of a config until it is stopped. `now`: monotonic seconds."""

    def __init__(self, config: Config, *, now: Callable[[], float] = time.monotonic) -> None:
        self.config = config
        self.stop = threading.Event()
        self.worst_code = 0
        self._now = now
        self._at_work = threading.Lock()
        self._watches = {name: Watch(drops.Settle(inbox.settle_seconds)) for name, inbox in config.inbox.items()}
        self._lock = daemon_lock(config)
        self._stopped: dict[str, Standstill] = {}  # by the library's name

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises Locked if another daemon lives on this state."""
        with self._alone():
            scheduler = self._schedule()
            scheduler.start()
            notify("READY=1\nSTATUS=watching " + ", ".join(self.config.inbox))
            log.info("watching %s", ", ".join(str(inbox.path) for inbox in self.config.inbox.values()))
            self._until_stopped(scheduler)
            notify("STOPPING=1")
            scheduler.shutdown(wait=True)

    def once(self) -> int:
        """Work off what lies in the inboxes, and the orders that wait; the exit code."""
        with self._alone():
            self.take_orders()
            self._carry(Order(wait_sources=True))
            return self.worst_code

    def look(self, name: str) -> None:
        """One look at an inbox: what has settled is worked off."""
        inbox, watch = self.config.inbox[name], self._watches[name]
        root = Path(inbox.path)
        if not root.is_dir():
            if not watch.missing:
                log.warning("%s: the folder of [inbox.%s] is gone; waiting for it to come back", root, name)
            watch.missing = True
            return
        watch.missing = False
        if self._stands_still(inbox.library):
            return
        listing = drops.scan(root)
        ready = watch.settle.feed(listing, self._now())
        ready = drops.only_drops(ready, listing) if inbox.attachments == "files" else ready
        ready = [path for path in ready if self._due(watch, path)]
        if ready:
            self._work(name, ready)

    def run_inbox(self, name: str) -> None:
        """What a schedule does: wait for what lies in the inbox to settle, and work it off."""
        if not self._stands_still(self.config.inbox[name].library):
            self._carry(Order(inbox=name, wait_sources=True))

    def take_orders(self) -> None:
        """Carry out what was handed over by commands beside, oldest first."""
        ledger = wiring.open_ledger(self.config)
        try:
            while not self.stop.is_set() and (wish := ledger.wishes.take()):
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
            self._carry_for_each(Order(owed_only=True))

    def refresh(self) -> None:
        """Look at the items of every library again."""
        self._carry_for_each(Order(refresh=True))

    def _stands_still(self, library: str) -> bool:
        """Whether this library refused us lately, its key is the same, and no command beside has found it mended since."""
        stop = self._stopped.get(library)
        if stop and self._now() < stop.until and self._key_stamp(library) == stop.key and self._is_noted(library):
            return True
        if self._stopped.pop(library, None) is not None:
            for name, inbox in self.config.inbox.items():
                if inbox.library == library:
                    self._watches[name].retries.clear()  # what waited for it is due now
        return False

    def _is_noted(self, library: str) -> bool:
        ledger = wiring.open_ledger(self.config)
        try:
            return library in ledger.stops.all()
        finally:
            ledger.close()

    def _key_stamp(self, library: str) -> tuple[int, int]:
        """What changes with the file that holds the library's key; a key from elsewhere is not looked at."""
        key = getattr(self.config.library[library], "api_key", None)
        return _stamp(Path(key.value)) if key and key.kind == "file" else (0, 0)

    def _carry_for_each(self, order: Order) -> None:
        """The order for every library that an inbox has; one that stands still does not keep the others."""
        for library in sorted({inbox.library for inbox in self.config.inbox.values()}):
            if not self._stands_still(library):
                self._carry(replace(order, library=library))

    def _alone(self) -> Any:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise Locked(f"{self.config.state.path}: a zotdrop daemon already runs on this state") from None
        ledger = Ledger.open(Path(self.config.state.path))
        ledger.wishes.release()
        ledger.close()
        return self._lock

    def _schedule(self) -> BackgroundScheduler:
        """One job per inbox, one for orders, one for what is owed; none overlaps itself, none is dropped for being late."""
        scheduler = BackgroundScheduler(
            timezone=self.config.zone(),
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._add_jobs(scheduler)
        return scheduler

    def _until_stopped(self, scheduler: BackgroundScheduler) -> None:
        """Until a stop is asked for. A clock that was set back would have every job wait for the old time: they are planned anew."""
        before = time.time() - time.monotonic()
        while not self.stop.wait(CLOCK_EVERY):
            now = time.time() - time.monotonic()
            if now < before - CLOCK_EVERY:
                log.warning("the clock was set back by %.0f s; the schedule goes on from now", before - now)
                scheduler.remove_all_jobs()
                self._add_jobs(scheduler)
            before = now

    def _add_jobs(self, scheduler: BackgroundScheduler) -> None:
        for name, inbox in self.config.inbox.items():
            job = self.run_inbox if inbox.schedule else self.look
            trigger = self._trigger(inbox.schedule, inbox.poll_seconds)
            scheduler.add_job(_guarded(job), trigger, args=[name], id=f"inbox-{name}")
        if self.config.schedule.refresh:
            scheduler.add_job(_guarded(self.refresh), self._trigger(self.config.schedule.refresh), id="refresh")
        scheduler.add_job(_guarded(self.take_orders), Every(ORDERS_EVERY), id="orders")
        scheduler.add_job(_guarded(self.fill_owed), Every(self.config.schedule.owed), id="owed")
        scheduler.add_job(lambda: notify("WATCHDOG=1"), Every(10), id="watchdog")

    def _trigger(self, schedule: str, otherwise: float = 0.0) -> Cron | Every:
        """When a schedule says; so many seconds apart where it says nothing."""
        if not schedule:
            return Every(otherwise)
        plan = cron_fields(schedule)
        if isinstance(plan, float):
            return Every(plan)
        return Cron(**plan, timezone=self.config.zone())

    def _due(self, watch: Watch, path: Path) -> bool:
        retry = watch.retries.get(path)
        return retry is None or self._now() >= retry.at or _stamp(path) != retry.stamp

    def _work(self, name: str, paths: list[Path]) -> None:
        watch, pace = self._watches[name], self.config.schedule
        self._carry(Order(paths=tuple(map(str, paths)), inbox=name, wait_sources=True))
        for path in paths:
            if path.exists():
                before = watch.retries.get(path)
                delay = min(before.delay * 2, pace.retry_most) if before else pace.retry
                watch.retries[path] = Retry(self._now() + delay, delay, _stamp(path))
            else:
                watch.retries.pop(path, None)

    def _carry(self, order: Order, tell: Callable[[str], None] | None = None) -> list[RunReport]:
        """One order at a time; a fault is logged, and the daemon goes on."""
        with self._at_work:
            if self.stop.is_set():
                return []
            try:
                reports = carry_out(self.config, order, kind="daemon", stop=self.stop, tell=_teller(tell))
            except ZotdropError as fault:
                log.error("%s", fault)  # noqa: TRY400  # the message is for people, no traceback
                self.worst_code = self.worst_code or fault.exit_code
                return []
        for report in reports:
            if report.drops or report.filled or report.failure or report.refreshed is not None:
                log.info("%s", as_text(report))
        self.worst_code = self.worst_code or worst(reports, strict=False)
        if any(report.failure_code == ConfigFault.exit_code for report in reports):
            self._stop(order)
        return reports

    def _stop(self, order: Order) -> None:
        """Leave the library alone that refused us: a right that is missing does not come by asking."""
        library = order.library or (self.config.inbox[order.inbox].library if order.inbox else "")
        if not library:  # `once` goes through all inboxes and ends
            return
        seconds = self.config.schedule.refused
        self._stopped[library] = Standstill(self._now() + seconds, self._key_stamp(library))
        log.error(
            "library %s is stopped: nothing is asked of it for %g minutes, or until its key changes or `zotdrop check` finds it mended",
            library,
            seconds / 60,
        )

    def _answer(self, arguments: Any, tell: Callable[[str], None]) -> tuple[int, dict[str, Any]]:
        """Carry out an order from beside: exit code and what the command shall print."""
        wanted = dict(arguments)
        strict = wanted.pop("strict", False)
        verbose = wanted.pop("verbose", False)
        with self._at_work:
            try:
                order = Order.from_json(wanted)
                reports = carry_out(self.config, order, kind="sync", stop=self.stop, tell=_teller(tell))
            except ZotdropError as fault:
                return fault.exit_code, {"error": str(fault), "reports": [], "texts": []}
            except Exception as fault:  # whatever it is, who ordered must hear of it
                log.exception("an order failed")
                return 1, {"error": f"unexpected: {fault!r}", "reports": [], "texts": []}
        texts = [as_text(report, verbose=verbose) for report in reports]
        return worst(reports, strict=strict), {"reports": [as_json(report) for report in reports], "texts": texts}


def serve(config: Config, *, once: bool) -> int:
    """Run the daemon under the signals of a service: SIGTERM and SIGINT stop it between two batches."""
    daemon = Daemon(config)
    caught: list[int] = []

    def stop(number: int, _frame: object) -> None:
        caught.append(number)
        daemon.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    code = daemon.once() if once else 0
    if not once:
        daemon.run()
    return 130 if signal.SIGINT in caught else code if not caught else 0


def notify(state: str) -> None:
    """Tell systemd how we are (sd_notify); does nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.connect("\0" + address[1:] if address.startswith("@") else address)
        wire.sendall(state.encode())


def _guarded(job: Callable[..., None]) -> Callable[..., None]:
    """A job whose faults are logged and never end the schedule."""

    def guarded(*args: Any) -> None:
        try:
            job(*args)
        except ZotdropError as fault:
            log.error("%s", fault)  # noqa: TRY400  # the message is for people, no traceback
        except Exception:
            log.exception("unexpected fault; the daemon goes on")

    return guarded


def _teller(tell: Callable[[str], None] | None) -> Callable[[str, int, int], None]:
    def told(text: str, done: int, total: int) -> None:
        line = f"{text}: {done} of {total}" if total else f"{text}: {done}"
        notify(f"STATUS={line}")
        if tell:
            tell(line)

    return told


def _stamp(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except OSError:
        return (0, 0)
    return (facts.st_size, facts.st_mtime_ns)
