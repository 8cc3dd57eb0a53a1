"""A library that zotdrop and a person share, in one process: real ledger, real library file, faults and crashes on demand."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sync import drops
from sync.core.keys import item_uri
from sync.core.record import Candidate, Provenance, Record
from sync.errors import Outage
from sync.libraries.base import Answer, Conflict, Receipt, Write
from sync.libraries.embedded import Embedded
from sync.libraries.paced import Pace, Paced
from sync.libraries.wrapped import Wrapped
from sync.report import RunReport
from sync.run import sync_drops, undo_run
from sync.sources.base import Finding
from sync.state.database import Database
from sync.state.ledger import Ledger
from sync.steps.tools import Rules, Task, Tools, instant
from tests.laws.desktop_replica import Clock, Desktop

START = datetime(2026, 11, 24, tzinfo=UTC)
WRITING, BETWEEN = 3.0, 4.0  # seconds that a write takes, and that lie between two runs
PACE = Pace(burst=20.0, pause=30.0)


class Crash(Exception):
    """The process is gone at this instant."""


@dataclass
class Trouble:
    """What goes wrong next. Each number counts down to the moment; 0: nothing."""

    lose_answer: int = 0  # the write that lands and whose answer is lost
    lose_request: int = 0  # the write that never arrives
    crash_commit: int = 0  # the commit of the ledger before which the process dies
    crash_write: int = 0  # the write to the library after which it dies
    resend_after: Callable[[], None] | None = (
        None  # what happens before a write whose answer is lost is sent once more at once
    )

    def due(self, name: str) -> bool:
        left = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return bool(left == 1)


class Filling:
    """A source that knows an issue and an abstract of every DOI, when it is there."""

    name = "crossref"

    def __init__(self) -> None:
        self.away = False

    def question(self, record: Record, *, citations: bool = True) -> str:  # noqa: ARG002
        return f"doi:{record.identifiers['DOI'].lower()}" if record.identifiers.get("DOI") else ""

    def find(self, records: Sequence[Record], *, citations: bool = True) -> Sequence[Finding]:  # noqa: ARG002
        return [self._one(record) for record in records]

    at_once = 2

    def cuts(self, records: Sequence[Record]) -> Sequence[int]:
        return [1] * len(records)

    def requests_for(self, questions: int) -> int:
        return questions

    def _one(self, record: Record) -> Finding:
        doi = record.identifiers.get("DOI", "")
        if self.away or not doi:
            return Finding(away="crossref is away" if doi else "", asked=bool(doi))
        fields = {**record.fields, "issue": "4", "abstractNote": f"What is known of {record.title}. " * 4}
        found = Record(record.item_type, fields=fields, creators=record.creators, identifiers=record.identifiers)
        return Finding((Candidate(found, Provenance("crossref", "doi", "2026-11-24T00:00:00Z")),))


class Troubled(Wrapped):
    """An embedded library in whose way things go wrong."""

    takes_files = False

    def __init__(
        self,
        real: Embedded,
        trouble: Trouble,
        meanwhile: list[Callable[[], None]],
        met: Counter[str],
        clock: Clock,
    ) -> None:
        super().__init__(real)
        self._trouble, self._meanwhile, self._met, self._clock = trouble, meanwhile, met, clock

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        while self._meanwhile:
            self._meanwhile.pop()()
        self._clock.advance(WRITING / 2)
        if self._trouble.due("lose_request"):
            self._met["a request was lost"] += 1
            raise Outage("the connection broke", service="zotero")
        answers = self._real.write(batch)
        if self._trouble.resend_after:
            between, self._trouble.resend_after = self._trouble.resend_after, None
            self._met["a write was sent twice"] += 1
            between()
            again = self._real.write(batch)
            answers = [replace(one, resent=True) if isinstance(one, Conflict) else one for one in again]
        self._clock.advance(WRITING / 2)
        self._met.update(f"answer: {type(answer).__name__}" for answer in answers)
        self._met["a create had landed before"] += sum(isinstance(one, Receipt) and one.found for one in answers)
        if self._trouble.due("lose_answer"):
            self._met["an answer was lost"] += 1
            raise Outage("the connection broke", service="zotero")
        if self._trouble.due("crash_write"):
            self._met["a crash after a write"] += 1
            raise Crash
        return answers


@dataclass
class SharedLibrary:
    """The folder in which both work. met: what has happened, by name."""

    folder: Path
    met: Counter[str]
    trouble: Trouble = field(default_factory=Trouble)
    meanwhile: list[Callable[[], None]] = field(default_factory=list)
    source: Filling = field(default_factory=Filling)
    clock: Clock = field(default_factory=Clock)
    pace: Pace = PACE

    def __post_init__(self) -> None:
        """Keys come out the same every time, so that a failure can be repeated."""
        self._library().close()
        with closing(sqlite3.connect(self.folder / "library.sqlite")) as file, file:
            file.execute("UPDATE library SET identity = 'embedded:law'")

    def sync(self, text: str, name: str, *, tags: tuple[str, ...] = (), collection: str = "Drops") -> RunReport | None:
        """One run over one drop; None if the process died in it."""
        path = self.folder / name
        path.write_text(text)
        rules = Rules("default", collection=collection, tags=tags, sources=("crossref",))
        return self._process(
            lambda tools: sync_drops(tools, [Task(drops.take(path, "default", self.folder), rules, name)])
        )

    def catch_up(self) -> RunReport | None:
        """A run without a drop: what is open is ended."""
        return self._process(lambda tools: sync_drops(tools, []))

    def undo(self, run: str) -> RunReport | None:
        """A run taken back."""
        return self._process(lambda tools: undo_run(tools, run))

    def items(self) -> dict[str, dict[str, Any]]:
        """Every item of its own that is there, trashed or not, as the library holds it."""
        library = self._library()
        try:
            found = [item for delta in library.changes(0) for item in delta.items]
        finally:
            library.close()
        return {item.key: {**item.data, "version": item.version} for item in found if item.data["itemType"] != "note"}

    def person_writes(self, key: str, **changes: Any) -> None:
        """Somebody changes an item with another program, from what it is now."""
        library = self._library()
        try:
            (answer,) = library.write([Write(key, 10**9, changes)])
            assert isinstance(answer, Receipt), answer
        finally:
            library.close()

    def version(self) -> int:
        """The library's version now."""
        library = self._library()
        try:
            return [delta.version for delta in library.changes(10**9)][-1]
        finally:
            library.close()

    def desktop(self, upload: Callable[[], None]) -> Desktop:
        """A desktop that has read all there is now, goes offline, and uploads once it is started on the clock."""
        return Desktop(self.version, upload, known=self.version())

    def person_deletes(self, key: str) -> None:
        library = self._library()
        library.delete([key])
        library.close()

    def uri(self, key: str) -> str:
        library = self._library()
        library.close()
        return item_uri(library.identity, key)

    def pending(self) -> int:
        ledger = Ledger.open(self.folder / "ledger.sqlite")
        try:
            return sum(ledger.waits().values()) - ledger.waits()["records for a person's decision"]
        finally:
            ledger.close()

    def outcomes(self) -> Counter[str]:
        ledger = Ledger.open(self.folder / "ledger.sqlite")
        try:
            return Counter(ledger.totals())
        finally:
            ledger.close()

    def _library(self) -> Embedded:
        return Embedded(self.folder / "library.sqlite", now=self._at)

    def _at(self) -> str:
        return instant(self._now())

    def _now(self) -> datetime:
        return START + timedelta(seconds=self.clock.time)

    def _paced(self, ledger: Ledger, library: Troubled) -> Paced:
        """With the pauses of a group, across processes, as the program is wired."""
        now = self._now()
        since = now - timedelta(seconds=self.pace.burst + self.pace.pause)
        written = ledger.outbox(ledger.snapshot(library.identity).id).recent(instant(since))
        before = [
            (now - datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)).total_seconds() for at in written
        ]
        return Paced(library, self.pace, now=self.clock.now, wait=self._pause, before=before)

    def _pause(self, seconds: float) -> None:
        self.met["a pause for desktops"] += 1
        self.clock.wait(seconds)

    def _process(self, work: Callable[[Tools], RunReport]) -> RunReport | None:
        """A process of its own, as far as anything is remembered; it may die at a commit or after a write."""
        self.clock.advance(BETWEEN)
        ledger = Ledger.open(self.folder / "ledger.sqlite")
        library = Troubled(self._library(), self.trouble, self.meanwhile, self.met, self.clock)
        tools = Tools(
            ledger=ledger,
            library=self._paced(ledger, library),
            sources={"crossref": self.source},
            now=self._now,
            stop=lambda: False,
            tell=lambda _text, _done, _of: None,
            requests=dict,
        )
        run = Database._run

        def mortal(database: Database, sql: str, values: Any = ()) -> Any:
            if sql == "COMMIT" and self.trouble.due("crash_commit"):
                self.met["a crash before a commit"] += 1
                raise Crash
            return run(database, sql, values)

        Database._run = mortal  # type: ignore[method-assign,assignment]
        try:
            return work(tools)
        except Crash:
            return None
        finally:
            Database._run = run  # type: ignore[method-assign]
            self.meanwhile.clear()
            library.close()
            ledger.close()
