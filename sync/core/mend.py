"""An object that a library refuses, in the form in which it can take it: nothing is lost, and what was moved is said. Pure.

Fields that a library does not know become lines of Extra, `Original Date: 1999`, as Zotero itself writes them and reads them
(`combineExtraFields`, https://github.com/zotero/zotero); its limits stand at
https://www.zotero.org/support/dev/web_api/v3/write_requests.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.core import schema
from sync.core.record import Problem

FIELD_BYTES, NAME_CHARACTERS = 65_535, 255
NOTE_PART = 80_000  # characters of a long text in one note: Zotero takes 500,000, and markup can make six of one
_CUT = 60_000  # bytes of a title that is too long; no item is left without one
_UNKNOWN = re.compile(r"Invalid property '(\w+)'|'(\w+)' is not a valid field for type '\w+'")
_NO_TYPE = re.compile(r"'(\w+)' is not a valid itemType")
_NO_COLLECTION = re.compile(r"Collection ([2-9A-Z]{8}) not found")
_STRONG, _WEAK = re.compile(r"[;|\n]"), re.compile(r",")  # what parts keywords that came as one
_BARE = "document"  # the type that every schema has and nothing is said by
_NAMES = ("firstName", "lastName", "name")


@dataclass(frozen=True, slots=True)
class Remark:
    """A child note: what it is about, by which it is known again, and its HTML."""

    about: str
    html: str


@dataclass(frozen=True, slots=True)
class Mended:
    """What is sent instead (empty: nothing is left of it), the notes beside it, and what a person is told."""

    data: Mapping[str, Any]
    notes: tuple[Remark, ...] = ()
    problems: tuple[Problem, ...] = ()


def label(field: str) -> str:
    """A field's name in Extra: `Original Date`, `PMID`."""
    return field[:1].upper() + re.sub(r"(?<=[a-z])(?=[A-Z])", " ", field[1:])


def mended(data: Mapping[str, Any], held: Mapping[str, Any], code: int, message: str) -> Mended | None:
    """What can be sent in the place of an object that was refused with this code and message; None if nothing can.

    held: the item as the library has it; empty for a new one. Each time something is taken out of `data`, so that trying again
    comes to an end.
    """
    if code == 413:
        return shortened(data)
    if code == 409 and (lost := _NO_COLLECTION.search(message)):
        return _without_collection(data, lost[1])
    if code != 400 or not _is_item(data, held):
        return None
    if unknown := _UNKNOWN.search(message):
        return fitted(data, held, {unknown[1] or unknown[2]})
    return _as_document(data) if not held and _NO_TYPE.search(message) else None


def fitted(data: Mapping[str, Any], held: Mapping[str, Any], unknown: Collection[str]) -> Mended | None:
    """An item without the fields that the library does not know: their values are lines of Extra. None if it has none of them."""
    moved = {name: value for name, value in data.items() if name in unknown and _movable(name, value)}
    if not moved:
        return None
    rest = {name: value for name, value in data.items() if name not in moved}
    before = str(data.get("extra", held.get("extra")) or "")
    extra = _with_lines(before, {name: value for name, value in moved.items() if value})
    problems = [
        Problem("field-in-extra", f"this library has no field {name}: its value stands in Extra, as {label(name)!r}")
        for name, value in moved.items()
        if value
    ]
    return Mended({**rest, "extra": extra} if extra != before else rest, problems=tuple(problems))


def shortened(data: Mapping[str, Any]) -> Mended | None:
    """An object without what is longer than Zotero takes: long texts and names are notes, long tags several. None if nothing is."""
    parts = [*_long_fields(data), *_long_names(data), *_long_tags(data)]
    if not parts:
        return None
    rest: dict[str, Any] = dict(data)
    for part in parts:
        rest |= part.data
    return Mended(
        {name: value for name, value in rest.items() if value is not None},
        tuple(note for part in parts for note in part.notes),
        tuple(problem for part in parts for problem in part.problems),
    )


def _is_item(data: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    return (data.get("itemType") or held.get("itemType")) in schema.ITEM_TYPES


def _movable(name: str, value: Any) -> bool:
    return name not in {"extra", "itemType"} and (value is None or isinstance(value, (str, int, float)))


def _with_lines(extra: str, fields: Mapping[str, Any]) -> str:
    """Extra with a line for each field, but for those that have one: somebody's line stays as it is."""
    has = {_plain(line.partition(":")[0]) for line in extra.splitlines() if ":" in line}
    lines = [
        f"{label(name)}: {' '.join(str(value).split())}" for name, value in fields.items() if _plain(name) not in has
    ]
    return "\n".join(part for part in (extra, *lines) if part)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def _without_collection(data: Mapping[str, Any], lost: str) -> Mended | None:
    inside = list(data.get("collections", ()))
    if lost not in inside:
        return None
    problem = Problem("collection-gone", f"the collection {lost} is not there any more: the item is written without it")
    return Mended({**data, "collections": [key for key in inside if key != lost]}, problems=(problem,))


def _as_document(data: Mapping[str, Any]) -> Mended:
    """A new item of a type that the library does not know: a document that names its type in Extra."""
    kind = str(data["itemType"])
    known, roles = schema.fields(_BARE), schema.creator_types(_BARE)
    fields = {name: value for name, value in data.items() if name in schema.fields(kind) and name != "extra"}
    own = {name: schema.own_field(_BARE, schema.base_field(kind, name)) for name in fields}
    homeless = {name: value for name, value in fields.items() if own[name] not in known}
    people = [
        {**person, "creatorType": person["creatorType"] if person["creatorType"] in roles else roles[0]}
        for person in data.get("creators", ())
    ]
    kept: dict[str, Any] = {name: value for name, value in data.items() if name not in fields}
    kept |= {str(own[name]): value for name, value in fields.items() if name not in homeless}
    kept |= {"creators": people} if people else {}
    extra = _with_lines(str(data.get("extra") or ""), {"type": kind, **homeless})
    told = f"this library has no item type {kind}: the item is a document, and Extra names the type"
    return Mended({**kept, "itemType": _BARE, "extra": extra}, problems=(Problem("type-in-extra", told),))


def _long_fields(data: Mapping[str, Any]) -> Iterator[Mended]:
    for name, value in data.items():
        if name == "note" or not isinstance(value, str) or len(value.encode()) <= FIELD_BYTES:
            continue
        titled = "itemType" in data and name == schema.own_field(str(data["itemType"]), "title")
        left = f"{value.encode()[:_CUT].decode(errors='ignore')}…" if titled else None
        told = f"{name} is longer than Zotero takes ({len(value):,} characters): the whole of it is a note of the item"
        yield Mended({name: left}, tuple(_notes(name, value)), (Problem("field-too-long", told),))


def _long_names(data: Mapping[str, Any]) -> Iterator[Mended]:
    """People with names of more than Zotero takes: cut, with the whole name in a note."""
    people = data.get("creators", ())
    long = [person[part] for person in people for part in _NAMES if len(person.get(part) or "") > NAME_CHARACTERS]
    if long:
        cut = [
            {part: text if part == "creatorType" else _cut(text) for part, text in person.items()} for person in people
        ]
        told = "a creator's name is longer than Zotero takes: it is cut, and the whole of it is a note of the item"
        yield Mended({"creators": cut}, tuple(_notes("creators", "\n".join(long))), (Problem("name-too-long", told),))


def _cut(name: str) -> str:
    return name if len(name) <= NAME_CHARACTERS else f"{name[: NAME_CHARACTERS - 1].rstrip()}…"


def _long_tags(data: Mapping[str, Any]) -> Iterator[Mended]:
    """Tags of more than Zotero takes: as several where something parts them, else lines of a note."""
    tags: Sequence[Mapping[str, Any]] = data.get("tags") or ()
    if all(len(tag["tag"]) <= NAME_CHARACTERS for tag in tags):
        return
    several = [{**tag, "tag": part} for tag in tags for part in _parted(tag["tag"])]
    short = {(tag["tag"], tag.get("type")): tag for tag in several if len(tag["tag"]) <= NAME_CHARACTERS}
    long = [tag["tag"] for tag in several if len(tag["tag"]) > NAME_CHARACTERS]
    told = "a tag is longer than Zotero takes: it is parted" if len(several) > len(tags) else "a tag is too long"
    told += ", and what stays too long is a line in a note of the item" if long else ""
    notes = tuple(_notes("tags", "\n".join(long))) if long else ()
    yield Mended({"tags": list(short.values())}, notes, (Problem("tag-too-long", told),))


def _parted(tag: str) -> list[str]:
    """A tag that is too long, at its strongest separator, and what is still too long at the next."""
    parts = [tag]
    for separator in (_STRONG, _WEAK):
        parts = [
            piece
            for part in parts
            for piece in ([part] if len(part) <= NAME_CHARACTERS else separator.split(part))
            if piece.strip()
        ]
    return [part.strip() for part in parts] if len(parts) > 1 else parts


def _notes(name: str, value: str) -> Iterator[Remark]:
    """A long text as HTML, in as many notes as it takes."""
    parts = [value[start : start + NOTE_PART] for start in range(0, len(value), NOTE_PART)]
    for number, part in enumerate(parts, start=1):
        of = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
        lines = "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in part.splitlines() if line.strip())
        yield Remark(f"too-long:{name}:{number}", f"<p>{label(name)}{of}, too long for its field:</p>{lines}")
