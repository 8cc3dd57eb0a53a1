"""What a library refused or nobody could read is looked at once more, and so is what lies in held/."""

from __future__ import annotations

from collections.abc import Sequence

from sync import drops
from sync.core.record import Reading
from sync.state.drops import DropRow
from sync.steps.intake import readings, ready
from sync.steps.tools import Task, Tools


def release(tools: Tools) -> None:
    """Let every record be decided anew that the library refused, or that could not be read and can be by now."""
    retries, library = tools.ledger.retries, tools.snapshot.id
    with tools.ledger.transaction():
        for record in retries.refused(library):
            retries.release(record)
        for lost in retries.unreadable(library):
            reading = _read(lost.text)
            if reading is not None:
                retries.read_anew(lost.record, reading)


def known(tools: Tools, tasks: Sequence[Task]) -> list[tuple[Task, DropRow]]:
    """The tasks whose records have their end in the ledger. A file in which no record was found is none of them: it is read anew."""
    found = []
    for task in tasks:
        row = tools.ledger.records.find(
            tools.snapshot.id, task.drop.sha256, task.rules.fingerprint(task.drop.subfolder)
        )
        if row is not None and row.state == "done" and not row.entries:
            tools.ledger.records.read_again(row.id)
        elif row is not None and row.state == "done":
            found.append((task, row))
    return found


def _read(text: str) -> Reading | None:
    """The one reference that a text holds; None where it holds none, or several, or one that a person would have to look at."""
    parts = [ready(part) for part in readings(drops.lines_of(text.encode("utf-8", "replace")))]
    found = [part for part in parts if isinstance(part, Reading)]
    sure = len(found) == 1 and found[0].record is not None and not found[0].entry.doubtful
    return found[0] if sure else None
