"""What the service does at the moment, in memory and, for whoever asks from beside, in a file beside the ledger.

The file is replaced as a whole, so that nobody reads half of it. Whether it still counts is told by the service's lock, which the
system lets go of when the service dies.
"""

from __future__ import annotations

import copy
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sync.report import RunReport
from sync.steps.tools import instant

Tell = Callable[[str, int, int], None]

EVERY = 1.0  # seconds: progress is not written more often


def bulletin_file(ledger: str) -> Path:
    """Where the bulletin of the service with this ledger lies."""
    return Path(f"{ledger}.service.json")


def read_bulletin(ledger: str) -> dict[str, Any]:
    """What the newest service of this ledger wrote last; empty if there is nothing that can be read."""
    with suppress(OSError, ValueError):
        found = json.loads(bulletin_file(ledger).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


class Bulletin:
    """What the service does. now: UTC.  outlook: what is read anew whenever somebody asks (`next`, `retries`).

    Every method may be called in any thread; none raises because the file cannot be written.
    """

    def __init__(
        self,
        ledger: str,
        inboxes: Iterable[str],
        *,
        now: Callable[[], datetime],
        outlook: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._ledger, self._now, self._outlook = ledger, now, outlook
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._written: datetime | None = None
        before = read_bulletin(ledger).get("inboxes", {})
        self._state: dict[str, Any] = {
            "schema": 1,
            "pid": os.getpid(),
            "started": instant(now()),
            "stopped": "",
            "doing": None,
            "inboxes": {name: _remembered(before.get(name) or {}) for name in inboxes},
            "runs": {},
            "failures": 0,
            "requests": {},
        }

    def begin(self) -> dict[str, Any]:
        """The service lives from now on; the bulletin of the one before if that ended without a word, else empty."""
        before = read_bulletin(self._ledger)
        self.beat()
        return before if before and not before.get("stopped") else {}

    def end(self) -> None:
        """The service ends as it should."""
        with self._lock:
            self._state |= {"stopped": instant(self._now()), "doing": None}
        self.beat()

    def beat(self) -> None:
        """Write down how things stand now."""
        told = json.dumps(self.state())
        with self._writing, suppress(OSError):
            goal = bulletin_file(self._ledger)
            goal.parent.mkdir(parents=True, exist_ok=True)
            part = goal.with_name(f"{goal.name}.{os.getpid()}.part")
            part.write_text(told, encoding="utf-8")
            part.replace(goal)

    def state(self) -> dict[str, Any]:
        """How things stand now."""
        outlook = dict(self._outlook())
        with self._lock:
            return {**copy.deepcopy(self._state), "beat": instant(self._now()), **outlook}

    def looked(self, inbox: str, waiting: Sequence[str | Path] | None, held: int = 0) -> None:
        """An inbox was looked at. waiting: the drops that lie in it; None if its folder is gone.  held: those in its `held/`."""
        at = instant(self._now())
        with self._lock:
            own = self._inbox(inbox)
            known = own["oldest"] or {}
            paths = [str(path) for path in waiting or ()]
            oldest = known if known.get("path") in paths else {"path": paths[0], "since": at} if paths else None
            own |= {"looked": at, "there": waiting is not None, "waiting": len(paths), "oldest": oldest, "held": held}
            if waiting is not None and not paths:
                own["success"] = at

    @contextmanager
    def at_work(self, inbox: str, tell: Tell) -> Iterator[Tell]:
        """Work that begins and ends: what it is told of its progress stands in the bulletin, and goes on to `tell`."""
        self._do({"what": "starting", "inbox": inbox, "done": 0, "total": 0, "since": instant(self._now())})

        def told(text: str, done: int, total: int) -> None:
            self._progress(text, done, total)
            tell(text, done, total)

        try:
            yield told
        finally:
            self._do(None)

    def ended(self, inbox: str, reports: Sequence[RunReport], *, kind: str) -> None:
        """Runs that have ended; none at all is a run that could not begin."""
        failed = sum(bool(report.failure) for report in reports) if reports else 1
        with self._lock:
            runs, requests = self._state["runs"], self._state["requests"]
            runs[kind] = runs.get(kind, 0) + max(1, len(reports))
            self._state["failures"] += failed
            for report in reports:
                for service, number in report.requests.items():
                    requests[service] = requests.get(service, 0) + number
            if inbox and not failed:
                self._inbox(inbox)["success"] = instant(self._now())

    def _inbox(self, name: str) -> dict[str, Any]:
        own: dict[str, Any] = self._state["inboxes"].setdefault(name, _remembered({}))
        return own

    def _do(self, doing: dict[str, Any] | None) -> None:
        with self._lock:
            self._state["doing"] = doing
            if doing and doing["inbox"]:
                self._inbox(doing["inbox"])["looked"] = doing["since"]
        self.beat()

    def _progress(self, text: str, done: int, total: int) -> None:
        now = self._now()
        with self._lock:
            doing = self._state["doing"] or {"inbox": "", "since": instant(now)}
            if doing.get("what") not in {text, "starting"}:
                doing["since"] = instant(now)  # another part of the work
            self._state["doing"] = {**doing, "what": text, "done": done, "total": total}
            due = self._written is None or abs((now - self._written).total_seconds()) >= EVERY
            self._written = now if due else self._written
        if due:
            self.beat()


def _remembered(before: Mapping[str, Any]) -> dict[str, Any]:
    """What of an inbox outlives a service."""
    kept = {"success": before.get("success", ""), "oldest": before.get("oldest")}
    return {"looked": "", "there": True, "waiting": 0, "held": 0, **kept}
