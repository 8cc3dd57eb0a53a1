"""What a run did, as data, JSON and text. Pure. The sums must add up, or the run fails itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sync.core.items import to_item
from sync.core.record import Problem, Reading

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
    """How the records of one drop ended. gaps: lines of text between entries that belong to no record."""

    path: str
    sha256: str
    entries: int
    records: tuple[RecordLine, ...] = ()
    gap_lines: int = 0
    message: str = ""

    @property
    def outcomes(self) -> dict[str, int]:
        """How many records ended how; every outcome is named, those of nobody with 0."""
        counted = Counter(line.outcome for line in self.records)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    @property
    def adds_up(self) -> bool:
        """Whether every entry has exactly one end."""
        return sum(self.outcomes.values()) == self.entries == len(self.records)


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run did. away: services that did not answer, and why. filled: items that got values they were owed.

    refreshed: items of the library that were looked at again (None: that was not asked for).  seen: those worth a word.
    undoes: the run that this one took back.  undone: what became of each object of it.
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
    }


def as_text(report: RunReport, *, verbose: bool = False) -> str:
    """The report for a person: what came in, how it ended, what to do next."""
    lines = [line for drop in report.drops for line in _drop_text(drop, verbose=verbose)]
    if report.refreshed is not None:
        lines += _refresh_text(report, verbose=verbose)
    elif report.undoes:
        lines += _undo_text(report, verbose=verbose)
    elif not report.drops and not report.filled and not report.failure:
        lines.append("Nothing to do: no drop waits in the inbox.")
    lines += _away_text(report)
    if report.outcomes["asked"]:
        asked = report.outcomes["asked"]
        lines.append(
            f"{count(asked, 'record')} {'waits' if asked == 1 else 'wait'} for you: zotdrop review list says what is asked."
        )
    if report.filled and report.refreshed is None:
        lines.append(f"{report.filled} items of earlier drops were filled with what was still owed to them.")
    if report.failure:
        lines.append(f"Stopped: {printable(report.failure).removeprefix('stopped ')}")
    lines.append(_closing(report))
    return "\n".join(lines)


def reading_json(reading: Reading) -> dict[str, Any]:
    """One line of `parse --json`: how one entry was read."""
    record = reading.record
    return {
        "ordinal": reading.entry.ordinal,
        "lines": list(reading.entry.lines),
        "bytes": list(reading.entry.bytes),
        "item": to_item(record) if record else None,
        "notes": list(record.notes) if record else [],
        "attachments": [{"title": a.title, "url": a.url} for a in record.attachments] if record else [],
        "identifiers": dict(record.identifiers) if record else {},
        "unmapped": [list(pair) for pair in record.unmapped] if record else [],
        "problems": [_problem_json(problem) for problem in reading.problems],
        "confidence": reading.entry.confidence,
    }


def reading_text(reading: Reading) -> str:
    """How one entry was read, for a person."""
    entry, record = reading.entry, reading.record
    head = f"{entry.ordinal}. lines {entry.lines[0]}-{entry.lines[1]}"
    if record is None:
        return "\n".join([f"{head}: unreadable", *_problem_text(reading.problems)])
    doubt = f" (repaired, confidence {entry.confidence:.2f}: a person is asked)" if entry.doubtful else ""
    lines = [f"{head}: {record.item_type}{doubt}"]
    lines += [f"    {name}: {_short(value)}" for name, value in record.fields.items()]
    lines += [f"    {c.creator_type}: {c.name or f'{c.last}, {c.first}'.rstrip(', ')}" for c in record.creators]
    lines += [f"    tags: {'; '.join(record.tags)}"] if record.tags else []
    lines += [f"    {n}: {v}" for n, v in record.identifiers.items() if n not in record.fields]
    lines += [f"    note: {_short(note)}" for note in record.notes]
    lines += [f"    attachment: {a.url}" for a in record.attachments]
    lines += [f"    (no place) {tag}: {_short(value)}" for tag, value in record.unmapped]
    return "\n".join([*lines, *_problem_text(reading.problems)])


def question_json(question: Mapping[str, Any]) -> dict[str, Any]:
    """One line of `review list --json`: `question` has the fields of the ledger's Question; `number` is what accept and reject take."""
    told = {name: question[name] for name in ("drop", "ordinal", "title", "cited", "reasons")}
    other = {"title": question["other"], "cited": question["other_cited"], "key": question["key"] or None}
    return {"number": question["record"], **told, "other": other if any(other.values()) else None}


def question_text(question: Mapping[str, Any]) -> str:
    """A question for a person: both sides, one under the other, why it is asked, and what to do."""
    number, key, other = question["record"], question["key"], _short(printable(question["other"]))
    lines = [f"{number}: {_short(printable(question['title'])) or '(no title)'}"]
    lines += [f"    {_short(printable(question['cited']), 160)}"] if question["cited"] else []
    lines.append(f"    record {question['ordinal']} of {printable(question['drop'])}")
    if key or other:
        lines.append(f"  the same work as {key or 'a record without item'}?")
        lines.append(f"    {other or '(no title)'}")
        lines += [f"    {_short(printable(question['other_cited']), 160)}"] if question["other_cited"] else []
        lines.append(f"  asked because {_why(question['reasons'])}")
    else:
        lines.append(
            "  its values had to be told apart by guessing; are they right? zotdrop parse shows how it was read"
        )
    lines.append(f"  zotdrop review accept {number} (yes) | zotdrop review reject {number} (no)")
    return "\n".join(lines)


# Why a person is asked, by the rule that could not decide.
_WHY = {
    "abstract": "the abstracts agree, and not everything else does",
    "chapter": "it may be a chapter or its book",
    "cluster-full": "very many records look like this one",
    "identifier-and-page": "an identifier and the page agree, and not everything else does",
    "identifiers-differ": "all agrees but an identifier",
    "journal-unknown": "one of them names no journal",
    "limit-changes": "[limits] max_changes_per_run is reached",
    "meeting": "a meeting's abstract looks like it",
    "no-page": "title, people and journal agree, but one of them has no pages",
    "page-differs": "the pages differ",
    "people-differ": "the people differ",
    "place": "they stand at one place, and not everything else agrees",
    "place-differs": "volume or pages differ",
    "places-differ": "volume or pages differ",
    "title-differs-place-same": "they stand at one place under other titles",
    "title-generic": "the title is one that many works have",
    "title-unlike": "an identifier is shared, the titles are not alike",
    "volume-differs": "the volumes differ",
    "year-differs": "the years differ",
}


def _why(reasons: Iterable[str]) -> str:
    told = [_WHY.get(reason, reason) for reason in reasons if not reason.startswith(("item:", "record:"))]
    return "; ".join(told) or "it is doubtful"


def history_text(run: Mapping[str, Any]) -> str:
    """A run in a line: `run` has the fields of the ledger's RunRow, and its `report`, None while it has not ended."""
    report = run["report"] or {}
    totals = Counter[str]()
    for drop in report.get("drops", ()):
        totals.update(drop["outcomes"])
    told = ", ".join(f"{number} {outcome}" for outcome, number in totals.items() if number)
    drops = ", ".join(printable(drop["path"]) for drop in report.get("drops", ())[:3])
    what = f"takes back {run['undoes']}" if run["undoes"] else drops
    ended = "" if run["finished"] else "  (not ended)"
    return f"{run['id']}  {run['kind']}  {count(run['wrote'], 'object')} written  {told}  {what}".rstrip() + ended


def story_text(story: Mapping[str, Any]) -> str:
    """All that is known of a record, for a person: `story` has the fields of the ledger's Story."""
    head = f"record {story['record']}: {story['outcome']} {story['key']}".rstrip()
    first, last = story["lines"]
    lines = [head, f"  record {story['ordinal']} of {printable(story['drop'])}, lines {first}-{last}"]
    lines += [f"  because: {', '.join(story['reasons'])}"] if story["reasons"] else []
    lines += [f"  joined by: record {', '.join(map(str, story['merged']))} of the same drop"] if story["merged"] else []
    for name, value in (story["item"] or {}).items():
        source, how, at, old = story["origins"].get(name, ("drop", "", "", ""))
        told = ", ".join(filter(None, (source, how, at)))
        lines.append(
            f"  {name}: {_short(printable(_shown(value)))}  [{told}]{f' instead of {_short(printable(old))}' if old else ''}"
        )
    lines += [f"  lost: {name}: {_short(printable(value))}  [{source}]" for name, value, source in story["lost"]]
    lines += [f"  ! {printable(problem)}" for problem in story["problems"]]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    """A value of item JSON on one line."""
    if not isinstance(value, list):
        return str(value)
    return "; ".join(
        one.get("tag") or one.get("name") or f"{one.get('lastName', '')}, {one.get('firstName', '')}".strip(", ")
        for one in value
    )


def _drop_json(drop: DropReport) -> dict[str, Any]:
    return {
        "path": drop.path,
        "sha256": drop.sha256,
        "entries": drop.entries,
        "gap_lines": drop.gap_lines,
        "message": drop.message,
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
        "problems": [_problem_json(problem) for problem in line.problems],
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
                "problems": [_problem_json(problem) for problem in one.problems],
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
            f"  {one.key} {_short(printable(one.title)) or '(no title)'}: {'' if one.ours else 'could gain '}{what}"
        )
        lines += _problem_text(one.problems)
    if most and len(report.seen) > most:
        lines.append(f"  ... and {len(report.seen) - most} more (-v or --json shows them all)")
    return lines


def _undo_json(report: RunReport) -> dict[str, Any]:
    return {"run": report.undoes, "objects": [asdict(one) for one in report.undone]}


def _undo_text(report: RunReport, *, verbose: bool) -> list[str]:
    done = [one for one in report.undone if one.did != "kept"]
    kept = [one for one in report.undone if one.did == "kept" or one.left]
    lines = [f"Run {report.undoes}: {count(len(done), 'object')} {'would be ' if report.dry else ''}taken back"]
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
    return f"  {one.key} {_short(printable(one.title)) or '(no title)'}: {printable('; '.join(told))}"


def _problem_json(problem: Problem) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "line": problem.line}


def _drop_text(drop: DropReport, *, verbose: bool) -> list[str]:
    lines = [f"{printable(drop.path)}: {count(drop.entries, 'record')}"]
    if drop.message:
        lines.append(f"  {printable(drop.message)}")
    lines += [f"  {number:>6}  {_WORDS[outcome]}" for outcome, number in drop.outcomes.items() if number]
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
        p.code in _NOTEWORTHY or (p.code.startswith(("file-", "attachment-")) and p.message) for p in line.problems
    )
    return told or line.outcome in {"asked", "refused", "unreadable"}


def _record_text(line: RecordLine) -> list[str]:
    reasons = f" ({', '.join(line.reasons)})" if line.reasons else ""
    head = f"  {line.ordinal}. {line.outcome} {line.key} {_short(printable(line.title)) or '(no title)'}{reasons}"
    return [head, *_problem_text(line.problems)]


def _problem_text(problems: Iterable[Problem]) -> list[str]:
    told = ((p, f": {printable(p.message)}" if p.message else "") for p in problems)
    return [f"    ! {p.code}{message}" + (f" (line {p.line})" if p.line else "") for p, message in told]


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
    if report.refreshed is not None or report.undoes:
        return f"Requests: {asked}. {report.seconds:.1f} s.{dry}"
    entries = sum(drop.entries for drop in report.drops)
    parts = [f"{number} {outcome}" for outcome, number in report.outcomes.items() if number]
    total = f"{count(entries, 'record')} in = {' + '.join(parts)}" if parts else f"{count(entries, 'record')} in"
    return f"{total}. Requests: {asked}. {report.seconds:.1f} s.{dry}"


def count(number: int, noun: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Text from a file, safe for a terminal: control characters (escape sequences among them) are shown as blanks."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _name(service: str) -> str:
    return {"crossref": "Crossref", "pubmed": "PubMed", "zotero": "Zotero"}.get(service, service)


def _short(text: str, width: int = 100) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
