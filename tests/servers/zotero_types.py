"""The schema as the stand-in asks for it: which field and creator type exists, belongs to which item type, and is called what.

Names come from `sync.core.schema`; labels are those of Zotero's English (United States) locale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sync.core import schema

NOT_REGULAR = frozenset({"note", "attachment"})  # children may be these; annotations are not taken
BASES = (
    "title",
    "publicationTitle",
    "date",
    "place",
    "publisher",
    "volume",
    "number",
    "pages",
    "type",
    "medium",
    "authority",
)
_LABELS = {
    "abstractNote": "Abstract",
    "publicationTitle": "Publication",
    "journalAbbreviation": "Journal Abbr",
    "shortTitle": "Short Title",
    "archiveLocation": "Loc. in Archive",
    "libraryCatalog": "Library Catalog",
    "url": "URL",
    "accessDate": "Accessed",
    "numPages": "# of Pages",
    "numberOfVolumes": "# of Volumes",
    "seriesNumber": "Series Number",
    "computerProgram": "Software",
    "email": "E-mail",
    "tvBroadcast": "TV Broadcast",
    "webpage": "Web Page",
    "videoRecording": "Video Recording",
    "encyclopediaArticle": "Encyclopedia Article",
}


@cache
def all_types() -> frozenset[str]:
    """Every item type that may be written here."""
    return frozenset(schema.ITEM_TYPES) | NOT_REGULAR


@cache
def fields(kind: str) -> tuple[str, ...]:
    """A type's own fields, its title first; none for notes and attachments."""
    if kind in NOT_REGULAR:
        return ()
    first = own(kind, "title")
    return (first, *sorted(schema.fields(kind) - {first}))


@cache
def creator_types(kind: str) -> tuple[str, ...]:
    """A type's creator types, the main one first; none for notes and attachments."""
    return () if kind in NOT_REGULAR else tuple(schema.creator_types(kind))


@cache
def all_fields() -> frozenset[str]:
    """Every field of any type."""
    return frozenset(name for kind in schema.ITEM_TYPES for name in fields(kind))


@cache
def all_creator_types() -> frozenset[str]:
    """Every creator type of any type."""
    return frozenset(name for kind in schema.ITEM_TYPES for name in creator_types(kind))


@cache
def own(kind: str, base: str) -> str:
    """The type's field behind a base field; empty if it has none."""
    if kind in NOT_REGULAR:
        return base if kind == "attachment" and base == "title" else ""
    return schema.own_field(kind, base) or ""


def is_date(kind: str, name: str) -> bool:
    """Whether this field is the type's date (`issueDate` of a patent)."""
    return bool(name) and own(kind, "date") == name


def title(data: Mapping[str, Any]) -> str:
    """An item's title under whatever name; a note's is its first line without markup."""
    if data["itemType"] == "note":
        return re.sub(r"<[^>]*>", " ", data.get("note", "")).strip().partition("\n")[0].strip()
    return str(data.get(own(data["itemType"], "title"), ""))


def converted(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The item as another type: fields go to the field of the same base, creators to the main role, the rest is dropped."""
    before = data["itemType"]
    if before == kind:
        return dict(data)
    lost = set(fields(before)) - set(fields(kind))
    kept = {name: value for name, value in data.items() if name not in lost} | {"itemType": kind}
    for base in BASES:
        name, target = own(before, base), own(kind, base)
        if name in lost and target and data.get(name):
            kept[target] = data[name]
    roles = creator_types(kind)
    people = kept.get("creators", ())
    kept["creators"] = [p if p["creatorType"] in roles else {**p, "creatorType": roles[0]} for p in people if roles]
    return kept


def label(name: str) -> str:
    """A field's or item type's name as people read it: `Title`, `Abstract`, `Journal Article`."""
    return _LABELS.get(name) or name[0].upper() + re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[1:])


def listed() -> Sequence[str]:
    """The item types of the public list: every regular one, and the note."""
    return sorted({*schema.ITEM_TYPES, "note"})
