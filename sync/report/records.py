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
    return {
        "number": question["record"],
        **told,
        "other": other if any(other.values()) else None,
        "evidence": [dict(part) for part in question["evidence"]],
    }


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
        lines += _evidence_text(question["evidence"])
    else:
        lines.append(
            "  its values had to be told apart by guessing; are they right? zotdrop parse shows how it was read"
        )
    lines.append(f"  zotdrop review accept {number} (yes) | zotdrop review reject {number} (no)")
    return "\n".join(lines)


def _evidence_text(parts: Iterable[Mapping[str, Any]]) -> list[str]:
    """What speaks for and against, a line each, with the weights in bits."""
    sides = [
        ("for", [part for part in parts if part["weight"] > 0]),
        ("against", [p for p in parts if p["weight"] < 0]),
    ]
    return [
        f"    {side}: " + ", ".join(f"{part['part']} {part['says']} ({part['weight']:+.1f})" for part in found)
        for side, found in sides
        if found
    ]


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
    "repair-doubtful": "its values had to be told apart by guessing",
    "volume-differs": "the volumes differ",
    "year-differs": "the years differ",
}


def _why(reasons: Iterable[str]) -> str:
    told = [_WHY.get(reason, reason) for reason in reasons if not reason.startswith(("item:", "record:"))]
    return "; ".join(told) or "it is doubtful"


def history_text(run: Mapping[str, Any]) -> str:
    """A run in a line: `run` has the fields of the ledger's RunRow, `taken_back_by`, and its `report`, None while it has not ended."""
    report = run["report"] or {}
    totals = Counter[str]()
    for drop in report.get("drops", ()):
        totals.update(drop["outcomes"])
    told = ", ".join(f"{number} {outcome}" for outcome, number in totals.items() if number)
    paths = [printable(drop["path"]) for drop in report.get("drops", ())]
    drops = ", ".join([*paths[:3], *([f"and {len(paths) - 3:,} more"] if len(paths) > 3 else [])])
    taken = report.get("undo", {}).get("drop") or run["undoes"]
    what = f"takes back {printable(taken)}" if run["undoes"] else drops
    ended = "  (cannot be undone any more)" if run["let_go"] else "" if run["finished"] else "  (not ended)"
    ended += f"  (taken back by {run['taken_back_by']})" if run["taken_back_by"] else ""
    return f"{run['id']}  {run['kind']}  {count(run['wrote'], 'object')} written  {told}  {what}".rstrip() + ended


def story_text(story: Mapping[str, Any]) -> str:
    """All that is known of a record, for a person: `story` has the fields of the ledger's Story."""
    head = f"record {story['record']}: {story['outcome']} {story['key']}".rstrip()
    first, last = story["lines"]
    lines = [head, f"  record {story['ordinal']} of {printable(story['drop'])}, lines {first}-{last}"]
    lines += [f"  because: {', '.join(story['reasons'])}"] if story["reasons"] else []
    lines += [_decided_text(one) for one in story["decided"]]
    for ordinal, parts in story["evidence"].items():
        lines += [f"  joined by: record {ordinal} of the same drop", *_evidence_text(parts)]
    for name, value in (story["item"] or {}).items():
        source, how, at, old = story["origins"].get(name, ("drop", "", "", ""))
        told = ", ".join(filter(None, (source, how, at)))
        lines.append(
            f"  {name}: {short(printable(_shown(value)))}  [{told}]{f' instead of {short(printable(old))}' if old else ''}"
        )
    lines += [f"  lost: {name}: {short(printable(value))}  [{source}]" for name, value, source in story["lost"]]
    lines += [f"  ! {printable(problem)}" for problem in story["problems"]]
    lines += standing_text(story["stands"]) if story["stands"] else []
    return "\n".join(lines)


def standing_text(stands: Mapping[str, Any]) -> list[str]:
    """An item as it stands in its library, for a person: `stands` has the fields of the ledger's Standing."""
    edited = stands["edited"]
    place = {"alive": "now", "trash": "now in the trash", "gone": "deleted; last seen"}[stands["place"]]
    lines = [f"  {place} in {printable(stands['library'])}, version {stands['version']}:"]
    for name, value in stands["item"].items():
        mark = "  [changed by a person]" if name in (edited or ()) else ""
        lines.append(f"    {name}: {short(printable(_shown(value)))}{mark}")
    lines += [f"    {name}: (empty)  [changed by a person]" for name in edited or () if name not in stands["item"]]
    return lines


def answered_text(one: Mapping[str, Any]) -> str:
    """A question that was decided, for a person: `one` has the fields of the ledger's Answered."""
    head = f"{one['record']}: {short(printable(one['title'])) or '(no title)'}"
    return "\n".join([head, f"    record {one['ordinal']} of {printable(one['drop'])}", _decided_text(one["decided"])])


def _decided_text(one: Mapping[str, Any]) -> str:
    said = _VERDICTS[one["verdict"], bool(one["key"])]
    why = f"; asked because {_why(one['reasons'])}" if one["reasons"] else ""
    item = f" ({one['key']})" if one["key"] else ""
    return f"  decided on {one['at'][:10]}: {said}{item}{why}"


_VERDICTS = {
    ("same", True): "the same work",
    ("different", True): "another work",
    ("same", False): "read rightly",
    ("different", False): "read wrongly, left out",
}


def _shown(value: Any) -> str:
    """A value of item JSON on one line."""
    if not isinstance(value, list):
        return str(value)
    return "; ".join(
        one
        if isinstance(one, str)
        else one.get("tag") or one.get("name") or f"{one.get('lastName', '')}, {one.get('firstName', '')}".strip(", ")
        for one in value
    )
