"""Notes what happened in the ledger, and tells it in a thread of its own: a notice never stops or slows a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event as Flag
from threading import Thread
from typing import Any

from sync import wiring
from sync.config import Config
from sync.errors import ZotdropError
from sync.logs import safe
from sync.notify import events
from sync.notify.events import Event, Sign
from sync.notify.mail import Mail
from sync.notify.message import Message, message
from sync.notify.ways import Command, Ntfy, Way, Webhook
from sync.report import RunReport
from sync.secrets import Secret, resolve
from sync.state.notices import Notice, Notices, Trouble
from sync.steps.tools import instant

log = logging.getLogger("zotdrop.notify")

ROUND = 5.0  # seconds between two looks for what is to be told
FIRST, MOST = 30.0, 6 * 3600.0  # seconds until a way that failed is tried again, doubling
OLDEST = timedelta(days=7)  # what could not be told for so long is told no more
KEPT = timedelta(days=90)  # so long is remembered that something had lasted
TIDY = timedelta(hours=6)  # between two looks for what may be forgotten
LEAVE = 2.0  # seconds that a notice on its way may keep the service when it stops
_PASSED = ("failed", "stopped", "away", "disk", "recovered")  # kinds whose events are over once they are


def ways(config: Config) -> dict[str, Way]:
    """The ways that the config names, by name. Their keys are fetched when they are needed."""
    own = config.notify
    found: dict[str, Way] = {}
    if own.webhook:
        found["webhook"] = Webhook(_key(own.webhook.url), _key(own.webhook.secret) if own.webhook.secret else None)
    if own.ntfy:
        found["ntfy"] = Ntfy(_key(own.ntfy.url), _key(own.ntfy.token) if own.ntfy.token else None)
    if own.mail:
        mail = own.mail
        password = _key(mail.password) if mail.password else None
        found["mail"] = Mail(mail.host, mail.port, mail.security, mail.sender, mail.to, mail.user, password)
    if own.command:
        found["command"] = Command(own.command.argv, own.command.seconds)
    return found


def try_out(config: Config, now: datetime) -> Iterator[tuple[str, str]]:
    """Send a test in every way that the config names; each with what stood against it, empty if it arrived."""
    at = instant(now)
    told = message("test", [Notice(0, "test", at, "This is a test of zotdrop's notices: it arrived.", {})], at)
    for name, way in ways(config).items():
        try:
            way.send(told)
        except ZotdropError as fault:
            yield name, safe(str(fault))
        else:
            yield name, ""


class Teller:
    """Who tells a person. Without a way in the config it notes nothing. now: UTC.  Every method may be called in any thread."""

    def __init__(
        self, config: Config, *, now: Callable[[], datetime] = wiring.utc_now, by: Mapping[str, Way] | None = None
    ) -> None:
        self._config, self._now = config, now
        self._ways = ways(config) if by is None else dict(by)
        self._stop, self._news = Flag(), Flag()
        self._thread: Thread | None = None
        self._tidied = datetime.min.replace(tzinfo=UTC)

    def start(self) -> None:
        """Tell what there is to tell until `stop`, in a thread."""
        if self._ways:
            self._thread = Thread(target=self._go_on, name="notices", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """No more; what is on its way gets a moment. What was not told is told by the next one."""
        self._stop.set()
        self._news.set()
        if self._thread:
            self._thread.join(LEAVE)

    def succeeded_by(self, heir: Teller) -> Teller:
        """Let another tell from now on, in a thread if this one has one; the heir."""
        if self._thread:
            self.stop()
            heir.start()
        return heir

    def after(self, reports: Sequence[RunReport], whose: str = "") -> None:
        """Note what runs for an inbox or library showed. Never raises."""
        after = self._config.notify.after
        self._guarded(lambda notices: self._take(notices, *self._seen(reports, whose, after)))

    def raised(self, fault: ZotdropError, whose: str = "") -> None:
        """Note that a run could not begin. Never raises."""
        signs = list(events.raised(whose, fault, after=self._config.notify.after))
        self._guarded(lambda notices: self._take(notices, [], signs))

    def happened(self, kind: str, name: str, text: str) -> None:
        """Note something that happened outside of any run. Never raises."""
        self._guarded(lambda notices: self._take(notices, [Event(kind, name, text)], []))

    def round(self) -> None:
        """What `deliver` does, where there is a way at all. Never raises: what was not told is told by the next round."""
        try:
            if self._ways:
                self.deliver()
        except Exception as fault:  # whatever it is, the service goes on
            log.warning("notices: %s", fault, exc_info=not isinstance(fault, ZotdropError))

    def deliver(self) -> None:
        """One round: what waits goes out, a message for each kind, at most one in `every` seconds; a way that failed rests."""
        with closing(wiring.open_ledger(self._config)) as ledger:
            self._look_at_disk(ledger.notices)
            for name, way in self._ways.items():
                self._deliver_by(ledger.notices, name, way)
            if self._now() >= self._tidied + TIDY:
                self._tidied = self._now()
                ledger.notices.forget(_PASSED, instant(self._tidied - KEPT))

    def _go_on(self) -> None:
        while not self._stop.is_set():
            self.round()
            self._news.wait(ROUND)
            self._news.clear()

    def _seen(self, reports: Sequence[RunReport], whose: str, after: int) -> tuple[list[Event], list[Sign]]:
        found = [event for report in reports for event in events.happened(report)]
        signs = [sign for report in reports for sign in events.lasting(report, whose, after=after)]
        with closing(wiring.open_ledger(self._config)) as ledger:
            stopped = {name: stop.why for name, stop in ledger.stops.all().items()}
        return found, [*signs, *events.stops(list(self._config.library), stopped)]

    def _guarded(self, work: Callable[[Notices], None]) -> None:
        if not self._ways:
            return
        try:
            with closing(wiring.open_ledger(self._config)) as ledger, ledger.transaction():
                work(ledger.notices)
        except Exception:  # the run is done, whatever becomes of its notice
            log.exception("a notice could not be noted")
        self._news.set()

    def _take(self, notices: Notices, found: Iterable[Event], signs: Iterable[Sign]) -> None:
        at, wanted = instant(self._now()), self._config.notify.events
        lasting = [event for sign in signs if sign.kind in wanted for event in _turned(notices, sign, at)]
        for event in [*found, *lasting]:
            if event.kind in wanted:
                text = safe(event.text)
                notices.note(event.kind, event.name, at=at, text=text, facts=event.facts, ways=self._ways)

    def _look_at_disk(self, notices: Notices) -> None:
        sign = events.disk(wiring.free_mb(self._config), self._config.state.min_free_mb)
        if sign.on != ("disk" in notices.lasting()):
            self._take(notices, [], [sign])

    def _deliver_by(self, notices: Notices, name: str, way: Way) -> None:
        now = self._now()
        if notices.trouble(name).not_before > instant(now):
            return
        for kind, waiting in notices.waiting(name).items():
            old = [notice.id for notice in waiting if notice.at < instant(now - OLDEST)]
            fresh = [notice for notice in waiting if notice.id not in set(old)]
            if old:
                notices.give_up(name, old)
                log.error(
                    "%s: %d notices could not be told for %d days; they are given up", name, len(old), OLDEST.days
                )
            since = instant(now - timedelta(seconds=self._config.notify.every))
            if not fresh or self._stop.is_set() or notices.last_sent(name, kind) > since:
                continue
            if not self._send(notices, name, way, message(kind, fresh, instant(now)), [notice.id for notice in fresh]):
                return

    def _send(self, notices: Notices, name: str, way: Way, told: Message, ids: Sequence[int]) -> bool:
        try:
            way.send(told)
        except ZotdropError as fault:
            self._rest(notices, name, fault)
            return False
        notices.sent(name, told.kind, ids, instant(self._now()))
        log.info("%s: told of %s (%d)", name, events.KINDS[told.kind], len(ids))
        return True

    def _rest(self, notices: Notices, name: str, fault: ZotdropError) -> None:
        before = notices.trouble(name).tries
        delay = min(FIRST * 2 ** min(before, 20), MOST)
        until = instant(self._now() + timedelta(seconds=delay))
        notices.failed(name, Trouble(before + 1, until, safe(str(fault))))
        log.warning("%s: %s; the notice is kept and tried again in %d s", name, fault, delay)


def _turned(notices: Notices, sign: Sign, at: str) -> Iterator[Event]:
    """The event that a sign amounts to: something lasts for long enough now, or is over."""
    if not sign.on:
        over = notices.over(sign.name)
        if over and over.told:
            yield Event("recovered", f"{sign.name}@{over.since}", f"{sign.again} (since {over.since}: {sign.kind})")
        return
    known = notices.sign(sign.name, at)
    if known.times >= sign.needed and not known.told:
        notices.tell_of(sign.name)
        row = f" ({known.times} times in a row since {known.since})" if known.times > 1 else ""
        facts: dict[str, Any] = {"what": sign.name, "since": known.since, "times": known.times}
        yield Event(sign.kind, f"{sign.name}@{known.since}", f"{sign.text}{row}", facts)


def _key(secret: Secret) -> Callable[[], str]:
    return partial(resolve, secret, word=False)
