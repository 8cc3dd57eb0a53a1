"""What of a run a person should hear of: events, which happen once, and signs of what lasts. Pure.

No title and no abstract: a notice leaves the machine, and a drop may be confidential.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.errors import ConfigFault, Interrupted, Locked, Outage, ZotdropError
from sync.report import DropReport, RunReport
from sync.report.words import count

KINDS: Mapping[str, str] = {
    "failed": "what cannot be worked off",
    "held": "drops at which a person must look",
    "questions": "records wait for a person",
    "retraction": "retracted or questioned works",
    "stopped": "a library refuses zotdrop",
    "away": "a service does not answer",
    "disk": "the disk is nearly full",
    "recovered": "it works again",
    "test": "a test",
}
RETRACTED: Mapping[str, str] = {
    "retracted": "is retracted",
    "partly-retracted": "is partly retracted",
    "expression-of-concern": "has an expression of concern",
}
# A library's stop and a service that is away are told as such; a run that was stopped goes on.
_TOLD_ELSEWHERE = frozenset({ConfigFault.exit_code, Outage.exit_code, Interrupted.exit_code})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. name: two events of a kind with one name are the same.  facts: for programs."""

    kind: str
    name: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sign:
    """Whether something lasts, as seen now. needed: signs in a row before a person hears of it.  again: what its end is called."""

    name: str
    on: bool
    kind: str
    text: str = ""
    again: str = ""
    needed: int = 1


def happened(report: RunReport) -> Iterator[Event]:
    """The events of a run."""
    for drop in report.drops:
        if drop.entries or not report.failure:  # else it was not read for a reason that is told as such
            yield from _of_drop(drop)
    for seen in report.seen:
        yield from _retractions(seen.key, [problem.code for problem in seen.problems], f"item {seen.key}")


def lasting(report: RunReport, whose: str, *, after: int) -> Iterator[Sign]:
    """What a run shows of things that last. whose: the inbox or library that it was for.  after: as in `[notify]`."""
    for service, why in report.away.items():
        if service not in report.deferred:
            yield Sign(f"service:{service}", on=True, kind="away", text=why, needed=after)
    for service, number in report.requests.items():
        if number and service not in report.away:
            yield Sign(f"service:{service}", on=False, kind="away", again=f"{service} answers again")
    yield from fault(whose, report.failure_code, report.failure, after=after)


def fault(whose: str, code: int, why: str, *, after: int) -> Iterator[Sign]:
    """Whether runs for an inbox or a library fail as a whole; nothing where the end says nothing of that. code: of the run."""
    if code not in _TOLD_ELSEWHERE:
        yield Sign(
            f"run:{whose}",
            on=code != 0,
            kind="failed",
            text=f"{whose}: {why}" if whose else why,
            again=f"{whose or 'the inboxes'}: worked off again",
            needed=after if code == Locked.exit_code else 1,
        )


def raised(whose: str, error: ZotdropError, *, after: int) -> Iterator[Sign]:
    """The same for a run that could not begin."""
    return fault(whose, error.exit_code, str(error), after=after)


def stops(libraries: Sequence[str], stopped: Mapping[str, str]) -> Iterator[Sign]:
    """Which libraries refuse us, and why."""
    for name in libraries:
        why, again = stopped.get(name, ""), f"library {name} takes what it is given again"
        yield Sign(f"library:{name}", on=name in stopped, kind="stopped", text=f"library {name}: {why}", again=again)


def disk(free_mb: int, least_mb: int) -> Sign:
    """Whether there is too little space to take anything in."""
    text = f"{free_mb} MB are free where the ledger lies, less than [state] min_free_mb = {least_mb}: no new drops are taken in"
    return Sign("disk", on=free_mb < least_mb, kind="disk", text=text, again="there is room again: drops are taken in")


def _of_drop(drop: DropReport) -> Iterator[Event]:
    outcomes = drop.outcomes
    facts = {"drop": drop.path, "sha256": drop.sha256, "outcomes": outcomes}
    bad = [f"{count(outcomes[name], 'record')} {name}" for name in ("refused", "unreadable") if outcomes[name]]
    if (drop.message or bad) and not outcomes["waiting"]:
        why = "; ".join([drop.message, *bad] if drop.message else bad)
        yield Event("held", drop.sha256, f"{drop.path}: {why}", facts)
    if outcomes["asked"]:
        text = f"{drop.path}: {count(outcomes['asked'], 'record')} to decide on: zotdrop review list"
        yield Event("questions", f"{drop.sha256}:{outcomes['asked']}", text, facts)
    for line in drop.records:
        place = line.key or f"{drop.sha256}#{line.ordinal}"
        yield from _retractions(
            place, [problem.code for problem in line.problems], f"{drop.path}, record {line.ordinal}"
        )


def _retractions(place: str, codes: Sequence[str], what: str) -> Iterator[Event]:
    for code in dict.fromkeys(codes):
        if code in RETRACTED:
            text = (
                f"{what} {RETRACTED[code]}: zotdrop show {place}" if "#" not in place else f"{what} {RETRACTED[code]}"
            )
            yield Event("retraction", f"{place}:{code}", text, {"key": place, "code": code})
