"""What a run did, as data, JSON and text. Pure. The sums must add up, or the run fails itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sync.core.record import Problem
from sync.core.reviews import NOWHERE, Assigned
from sync.report.searches import search_json, search_text
from sync.report.words import count, printable, problem_json, problem_text, short

OUTCOMES = ("created", "merged", "updated", "left", "asked", "refused", "unreadable", "waiting")

# Problems that a person wants to hear of though the record went in.
_NOTEWORTHY = frozenset(
    {
        *("retracted", "partly-retracted", "expression-of-concern", "retraction-notice", "preprint-published"),
        *("source-contradicts", "doi-unknown"),
    }
)

_WORDS = {
    "created": "created",
    "merged": "merged with another record of the drop",
    "updated": "updated (in the library before)",
    "left": "left as they are",
    "asked": "waiting for a person",
    "refused": "refused by the library",
    "unreadable": "unreadable (kept as they stand)",
    "waiting": "waiting for the next run",
}


@dataclass(frozen=True, slots=True)
class RecordLine:
    """How one record ended. `owed`: sources that were away and will be asked again."""

    ordinal: int
    outcome: str
    key: str
    title: str
    sources: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    owed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenLine:
    """What a second look at an item of the library came to. changes: item JSON; made if the item is ours, else proposed."""

    key: str
    title: str
    changes: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()
    ours: bool = False


@dataclass(frozen=True, slots=True)
class UndoneLine:
    """What became of one object of a run that was taken back.

    did: `trashed`, `brought-back`, `restored`, `kept`.  fields: what was written to take it back.  why: of what is kept.
    left: properties that somebody changed since.
    """

    key: str
    title: str
    did: str
    fields: tuple[str, ...] = ()
    why: str = ""
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DropReport:
    """How the records of one drop ended. gap_lines: lines of text between entries that belong to no record.

    assigned: its review and search.  database: that most of its records name.  done: nothing of it is left to do.
    overlap: what is asked of the drop as a whole, because it looks like a newer export of an earlier one.
    """

    path: str
    sha256: str
    entries: int
    records: tuple[RecordLine, ...] = ()
    gap_lines: int = 0
    message: str = ""
    assigned: Assigned = NOWHERE
    database: str = ""
    done: bool = False
    overlap: str = ""

    @property
    def outcomes(self) -> dict[str, int]:
        """How many records ended how; every outcome is named, those of nobody with 0."""
        counted = Counter(line.outcome for line in self.records)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    @property
    def wants_a_person(self) -> bool:
        """Whether something of it could not be read or was refused: such a drop is held."""
        return bool(self.message or self.outcomes["unreadable"] or self.outcomes["refused"])

    @property
    def adds_up(self) -> bool:
        """Whether every entry has exactly one end."""
        return sum(self.outcomes.values()) == self.entries == len(self.records)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done for the ledger itself. kind: cleanup, rebuild ...  lines: for a person.  facts: for a program."""

    kind: str
    lines: tuple[str, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run did. away: services that did not answer, and why. filled: items that got values they were owed.

    deferred: those of `away` that are only asked at another hour.
    refreshed: items of the library that were looked at again (None: that was not asked for).  seen: those worth a word.
    undoes: the run that this one took back.  undone: what became of each object of it.  upkeep: what was done for the ledger.
    withdrawn: the drop that this one took back.
    """

    run: str
    started: str
    seconds: float
    requests: Mapping[str, int]
    drops: tuple[DropReport, ...] = ()
    away: Mapping[str, str] = field(default_factory=dict)
    filled: int = 0
    written: int = 0
    dry: bool = False
    failure: str = ""
    failure_code: int = 0
    refreshed: int | None = None
    seen: tuple[SeenLine, ...] = ()
    undoes: str = ""
    undone: tuple[UndoneLine, ...] = ()
    upkeep: Upkeep | None = None
    deferred: tuple[str, ...] = ()
    withdrawn: str = ""

    @property
    def outcomes(self) -> dict[str, int]:
        """The outcomes of all drops together."""
        return {outcome: sum(drop.outcomes[outcome] for drop in self.drops) for outcome in OUTCOMES}

    @property
    def changed(self) -> bool:
        """Whether anything was written to the library (or would have been, in a dry run)."""
        return self.written > 0

    def exit_code(self, *, strict: bool = False) -> int:
        """What the command ends with: the gravest of what happened."""
        if self.failure_code:
            return self.failure_code
        if not all(drop.adds_up for drop in self.drops):
            return 1
        outcomes = self.outcomes
        if outcomes["refused"] or outcomes["unreadable"] or any(drop.message for drop in self.drops):
            return 5
        if outcomes["waiting"]:
            return 4
        doubts = any(
            p.code == "source-contradicts" for drop in self.drops for line in drop.records for p in line.problems
        )
        return 6 if strict and (outcomes["asked"] or doubts) else 0


def as_json(report: RunReport) -> dict[str, Any]:
    """The object that `sync --json` prints."""
    return {
        "schema": 1,
        "run": report.run,
        "started": report.started,
        "seconds": round(report.seconds, 3),
        "requests": dict(report.requests),
        "changed": report.changed,
        "dry": report.dry,
        "away": dict(report.away),
        "filled": report.filled,
        "failure": report.failure,
        "drops": [_drop_json(drop) for drop in report.drops],
        **({"refresh": _refresh_json(report)} if report.refreshed is not None else {}),
        **({"undo": _undo_json(report)} if report.undoes else {}),
        **({report.upkeep.kind: dict(report.upkeep.facts)} if report.upkeep else {}),
    }


def as_text(report: RunReport, *, verbose: bool = False) -> str:
    """The report for a person: what came in, how it ended, what to do next."""
    lines = [line for drop in report.drops for line in _drop_text(drop, verbose=verbose)]
    if report.refreshed is not None:
        lines += _refresh_text(report, verbose=verbose)
    elif report.undoes:
        lines += _undo_text(report, verbose=verbose)
    elif report.upkeep is not None:
        lines += [printable(line) for line in report.upkeep.lines]
    elif not report.drops and not report.filled and not report.failure:
        lines.append("Nothing to do: no drop waits.")
    lines += _away_text(report)
    if report.outcomes["asked"]:
        asked = report.outcomes["asked"]
        lines.append(
            f"{count(asked, 'record')} {'waits' if asked == 1 else 'wait'} for you: zotdrop review list says what is asked."
        )
    if report.filled and report.refreshed is None:
        lines.append(f"{report.filled} items of earlier drops were filled with what was still owed to them.")
    if report.failure and report.undoes:
        lines.append("What is left to be taken back is taken back by the next run on this library.")
    if report.failure:
        lines.append(f"Stopped: {printable(report.failure).removeprefix('stopped ')}")
    lines.append(_closing(report))
    return "\n".join(lines)


def _drop_json(drop: DropReport) -> dict[str, Any]:
    return {
        "path": drop.path,
        "sha256": drop.sha256,
        "entries": drop.entries,
        "gap_lines": drop.gap_lines,
        "message": drop.message,
        **search_json(drop.assigned, drop.database),
        **({"overlap": drop.overlap} if drop.overlap else {}),
        "outcomes": drop.outcomes,
        "records": [_record_json(line) for line in drop.records],
    }


def _record_json(line: RecordLine) -> dict[str, Any]:
    return {
        "ordinal": line.ordinal,
        "outcome": line.outcome,
        "key": line.key or None,
        "title": line.title,
        "sources": list(line.sources),
        "reasons": list(line.reasons),
        "owed": list(line.owed),
        "problems": [problem_json(problem) for problem in line.problems],
    }


def _refresh_json(report: RunReport) -> dict[str, Any]:
    return {
        "items": report.refreshed,
        "seen": [
            {
                "key": one.key,
                "title": one.title,
                "ours": one.ours,
                "changes": dict(one.changes),
                "problems": [problem_json(problem) for problem in one.problems],
            }
            for one in report.seen
        ],
    }


def _refresh_text(report: RunReport, *, verbose: bool) -> list[str]:
    made, proposed = (sum(bool(one.changes) for one in report.seen if one.ours is ours) for ours in (True, False))
    done = "would gain something" if report.dry else "gained something"
    lines = [f"{count(report.refreshed or 0, 'item')} looked at again: {made} of zotdrop's own {done}"]
    if proposed:
        lines.append(f"  {proposed} that others made lack what the sources know; they are left as they are")
    most = None if verbose else 20
    for one in report.seen[:most]:
        what = ", ".join(one.changes) or "nothing to change"
        lines.append(
            f"  {one.key} {short(printable(one.title)) or '(no title)'}: {'' if one.ours else 'could gain '}{what}"
        )
        lines += problem_text(one.problems)
    if most and len(report.seen) > most:
        lines.append(f"  ... and {len(report.seen) - most} more (-v or --json shows them all)")
    return lines


def _undo_json(report: RunReport) -> dict[str, Any]:
    what = {"drop": report.withdrawn} if report.withdrawn else {"run": report.undoes}
    return {**what, "objects": [asdict(one) for one in report.undone]}


def _undo_text(report: RunReport, *, verbose: bool) -> list[str]:
    done = [one for one in report.undone if one.did != "kept"]
    kept = [one for one in report.undone if one.did == "kept" or one.left]
    what = f"Drop {printable(report.withdrawn)}" if report.withdrawn else f"Run {report.undoes}"
    lines = [f"{what}: {count(len(done), 'object')} {'would be ' if report.dry else ''}taken back"]
    lines += [
        f"  {number:>6}  {_UNDONE[did]}" for did, number in sorted(Counter(one.did for one in report.undone).items())
    ]
    shown = [*kept, *(one for one in done if one not in kept)] if verbose else kept[:20]
    lines += [_undone_text(one) for one in shown]
    if len(kept) > len(shown):
        lines.append(f"  ... and {len(kept) - len(shown)} more (-v or --json shows them all)")
    if done and not report.dry and any(one.did == "trashed" for one in done):
        lines.append(
            f"zotdrop undo {report.run} brings it back, until Zotero empties its trash (after 30 days if nothing else is set)."
        )
    return lines


_UNDONE = {
    "trashed": "moved to the trash",
    "brought-back": "brought back from the trash",
    "restored": "with the values that they had before",
    "kept": "left as they are",
}


def _undone_text(one: UndoneLine) -> str:
    told = [one.why] if one.why else [f"{one.did}: {', '.join(one.fields)}"]
    told += [f"somebody changed {', '.join(one.left)}"] if one.left and one.did != "kept" else []
    return f"  {one.key} {short(printable(one.title)) or '(no title)'}: {printable('; '.join(told))}"


def _drop_text(drop: DropReport, *, verbose: bool) -> list[str]:
    lines = [f"{printable(drop.path)}: {count(drop.entries, 'record')}"]
    if drop.message:
        lines.append(f"  {printable(drop.message)}")
    lines += search_text(drop.assigned, printable(drop.database), drop.entries)
    lines += [f"  {number:>6}  {_WORDS[outcome]}" for outcome, number in drop.outcomes.items() if number]
    if drop.overlap:
        lines.append(f"  {printable(drop.overlap)}.")
    if drop.gap_lines and drop.entries:
        lines.append(f"  {drop.gap_lines:>6}  lines between the records belong to none (kept in the ledger)")
    if drop.entries and all("same-drop" in line.reasons for line in drop.records):
        lines.append("  The same file was worked off before; nothing was changed.")
    told = [line for line in drop.records if verbose or _noteworthy(line)]
    lines += [text for line in told[: None if verbose else 20] for text in _record_text(line)]
    if len(told) > 20 and not verbose:
        lines.append(f"  ... and {len(told) - 20} more (-v or --json shows them all)")
    return lines


def _noteworthy(line: RecordLine) -> bool:
    told = any(
        p.code in _NOTEWORTHY or (p.code.startswith(("file-", "attachment-", "original-")) and p.message)
        for p in line.problems
    )
    return told or line.outcome in {"asked", "refused", "unreadable"}


def _record_text(line: RecordLine) -> list[str]:
    reasons = f" ({', '.join(line.reasons)})" if line.reasons else ""
    head = f"  {line.ordinal}. {line.outcome} {line.key} {short(printable(line.title)) or '(no title)'}{reasons}"
    return [head, *problem_text(line.problems)]


def _away_text(report: RunReport) -> list[str]:
    owed = Counter(name for drop in report.drops for line in drop.records for name in line.owed)
    waiting = report.outcomes["waiting"]
    lines = [_away_line(service, printable(why)) for service, why in report.away.items()]
    if owed:
        named = " and ".join(f"{_name(name)} ({count(number, 'record')})" for name, number in owed.items())
        lines.append(f"To be asked again by the next sync or the running service: {named}.")
    if waiting:
        lines.append(f"{count(waiting, 'record')} waiting: the next run goes on where this one stopped.")
    return lines


def _away_line(service: str, why: str) -> str:
    told = why.removeprefix(service)
    return f"{_name(service)}{told}" if told != why else f"{_name(service)}: {why}"


def _closing(report: RunReport) -> str:
    dry = " Dry run: nothing was written." if report.dry else ""
    asked = ", ".join(f"{number} to {_name(name)}" for name, number in report.requests.items() if number) or "none"
    if report.refreshed is not None or report.undoes or report.upkeep:
        return f"Requests: {asked}. {report.seconds:.1f} s.{dry}"
    entries = sum(drop.entries for drop in report.drops)
    parts = [f"{number} {outcome}" for outcome, number in report.outcomes.items() if number]
    total = f"{count(entries, 'record')} in = {' + '.join(parts)}" if parts else f"{count(entries, 'record')} in"
    return f"{total}. Requests: {asked}. {report.seconds:.1f} s.{dry}"


def _name(service: str) -> str:
    return {"crossref": "Crossref", "pubmed": "PubMed", "zotero": "Zotero"}.get(service, service)
