"""A run in lines for a log: numbers, reasons and names of files; nothing that a record says."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from sync.report import DropReport, RunReport
from sync.report.words import count, printable


def log_lines(report: RunReport) -> Iterator[tuple[int, str, str]]:
    """What a run did: level, drop (empty: of the run as a whole) and line; nothing if there was nothing to do.

    A warning is what a person must look at: a drop that is held, a run that stopped.
    """
    for drop in report.drops:
        yield (logging.WARNING if drop.wants_a_person else logging.INFO), drop.path, _drop(drop)
    if report.failure:
        yield logging.WARNING, "", f"stopped: {report.failure}"
    for line in _of_run(report):
        yield logging.INFO, "", line


def _of_run(report: RunReport) -> Iterator[str]:
    if report.refreshed is not None:
        yield f"{count(report.refreshed, 'item')} looked at again, {len(report.seen)} of them worth a word"
    for line in report.upkeep.lines if report.upkeep else ():
        yield printable(line)
    if report.undoes:
        yield f"run {report.undoes} taken back: {count(len(report.undone), 'object')}"
    if report.filled and report.refreshed is None:
        yield f"{count(report.filled, 'item')} of earlier drops filled with what was owed"
    for service, why in report.away.items():
        yield f"{service} was not asked to the end: {why}"
    if report.drops or report.filled:
        asked = ", ".join(f"{number} to {name}" for name, number in report.requests.items() if number) or "none"
        yield f"requests: {asked}; {report.seconds:.1f} s"


def _drop(drop: DropReport) -> str:
    ends = ", ".join(f"{number} {outcome}" for outcome, number in drop.outcomes.items() if number) or "none"
    again = drop.entries and all("same-drop" in line.reasons for line in drop.records)
    ends += ", held for a person" if drop.wants_a_person else ""
    ends += " (the same file was worked off before)" if again else ""
    return f"{count(drop.entries, 'record')}: {ends}{f' ({drop.message})' if drop.message else ''}"
