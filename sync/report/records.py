"""One record, one question, one run: as JSON, and as text for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sync.core.items import to_item
from sync.core.record import Reading
from sync.report.words import count, printable, problem_json, problem_text, short


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
        "problems": [problem_json(problem) for problem in reading.problems],
        "confidence": reading.entry.confidence,
    }


def reading_text(reading: Reading) -> str:
    """How one entry was read, for a person."""
    entry, record = reading.entry, reading.record
    head = f"{entry.ordinal}. lines {entry.lines[0]}-{entry.lines[1]}"
    if record is None:
        return "\n".join([f"{head}: unreadable", *problem_text(reading.problems)])
    doubt = f" (repaired, confidence {entry.confidence:.2f}: a person is asked)" if entry.doubtful else ""
    lines = [f"{head}: {record.item_type}{doubt}"]
    lines += [f"    {name}: {short(value)}" for name, value in record.fields.items()]
    lines += [f"    {c.creator_type}: {c.name or f'{c.last}, {c.first}'.rstrip(', ')}" for c in record.creators]
    lines += [f"    tags: {'; '.join(record.tags)}"] if record.tags else []
    lines += [f"    {n}: {v}" for n, v in record.identifiers.items() if n not in record.fields]
    lines += [f"    note: {short(note)}" for note in record.notes]
    lines += [f"    attachment: {a.url}" for a in record.attachments]
    lines += [f"    (no place) {tag}: {short(value)}" for tag, value in record.unmapped]
    return "\n".join([*map(printable, lines), *problem_text(reading.problems)])


def question_json(question: Mapping[str, Any]) -> dict[str, Any]:
    """One line of `review list --json`: `question` has the fields of the ledger's Question; `number` is what accept and reject take."""
    told = {name: question[name] for name in ("drop", "ordinal", "title", "cited", "reasons")}
    other = {"title": question["other"], "cited": question["other_cited"], "key": question["key"] or None}
    return {"number": question["record"], **told, "other": other if any(other.values()) else None}


def question_text(question: Mapping[str, Any]) -> str:
    """A question for a person: both sides, one under the other, why it is asked, and what to do."""
    number, key, other = question["record"], question["key"], short(printable(question["other"]))
    lines = [f"{number}: {short(printable(question['title'])) or '(no title)'}"]
    lines += [f"    {short(printable(question['cited']), 160)}"] if question["cited"] else []
    lines.append(f"    record {question['ordinal']} of {printable(question['drop'])}")
    if key or other:
        lines.append(f"  the same work as {key or 'a record without item'}?")
        lines.append(f"    {other or '(no title)'}")
        lines += [f"    {short(printable(question['other_cited']), 160)}"] if question["other_cited"] else []
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
            f"  {name}: {short(printable(_shown(value)))}  [{told}]{f' instead of {short(printable(old))}' if old else ''}"
        )
    lines += [f"  lost: {name}: {short(printable(value))}  [{source}]" for name, value, source in story["lost"]]
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
