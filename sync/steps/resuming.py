"""Runs that were stopped while they took something back: they are ended before anything else is done."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync.errors import Interrupted, Outage, ZotdropError
from sync.report import RunReport, UndoneLine, as_json
from sync.state.withdrawals import drop_of, named
from sync.steps.tools import Run, Tools
from sync.steps.undoing import Undone, undo
from sync.steps.withdrawing import withdraw

log = logging.getLogger("zotdrop.run")


@dataclass(frozen=True, slots=True)
class _Open:
    """A run that takes `undoes` back and did not come to its end."""

    run: str
    undoes: str


def resume(tools: Tools, run: Run) -> None:
    """End what was stopped half-way. One that cannot be ended stays open and is told; it keeps nothing else from being done.

    Only a stop and a library that is away end the whole: both would meet everything that comes after, too.
    """
    for one in [] if tools.dry else list(_unfinished(tools, run)):
        try:
            _end(tools, one)
        except (Interrupted, Outage):
            raise
        except ZotdropError as fault:
            log.error("%s: %s", _called(tools, one), fault)  # noqa: TRY400  # the message is for people, no traceback
            run.broken.append(f"{_called(tools, one)}: {fault}")
        except Exception as fault:  # whatever it is, the drops of today have nothing to do with it
            log.exception("%s", _called(tools, one))
            run.broken.append(f"{_called(tools, one)}: unexpected: {fault!r}")


def broken_off(run: Run) -> ZotdropError | None:
    """What a run has to say at its end of those that stayed open; None if none did."""
    if not run.broken:
        return None
    return ZotdropError(f"{'; '.join(run.broken)}. All else was done; the next run tries it again")


def lines_of(found: Sequence[Undone]) -> tuple[UndoneLine, ...]:
    """What became of each object, for the report."""
    return tuple(
        UndoneLine(one.key, each.title, one.did, tuple(one.change), one.why, one.left)
        for each in found
        for one in (each.reversal,)
    )


def _unfinished(tools: Tools, run: Run) -> Iterator[_Open]:
    library = tools.snapshot.id
    for name, undoes in tools.ledger.undoings.unfinished(library):
        if name != run.id:
            yield _Open(name, undoes)
    for name, drop in tools.ledger.withdrawals.unfinished(library):
        if name != run.id:
            yield _Open(name, named(drop))


def _end(tools: Tools, one: _Open) -> None:
    drop, run = drop_of(one.undoes), Run(one.run)
    found = undo(tools, run, one.undoes) if drop is None else withdraw(tools, run, drop)
    path = "" if drop is None else tools.ledger.records.get(drop).path
    told = lines_of(found)
    report = RunReport(one.run, tools.instant(), 0.0, {}, undoes=one.undoes, undone=told, withdrawn=path)
    tools.ledger.end_run(one.run, tools.instant(), as_json(report))


def _called(tools: Tools, one: _Open) -> str:
    drop = drop_of(one.undoes)
    what = f"run {one.undoes}" if drop is None else f"drop {tools.ledger.records.get(drop).path}"
    return f"{what} could not be taken back to the end (by run {one.run})"
