"""Items of a library as RIS. The tags are those of the reader's own table, so that what is written is read as it was. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from sync.core import schema
from sync.core.ris_tables import ITEM_TYPES, target

# The type that RIS has for each of Zotero's: the usual one of several, the nearest where there is none.
_TYPES = {
    "artwork": "ART", "audioRecording": "SOUND", "bill": "BILL", "blogPost": "BLOG", "book": "BOOK", "bookSection": "CHAP",
    "case": "CASE", "computerProgram": "COMP", "conferencePaper": "CONF", "dataset": "DATA", "dictionaryEntry": "DICT",
    "document": "AGGR", "email": "ICOMM", "encyclopediaArticle": "ENCYC", "film": "ADVS", "forumPost": "ICOMM", "hearing": "HEAR",
    "instantMessage": "ICOMM", "interview": "PCOMM", "journalArticle": "JOUR", "letter": "PCOMM", "magazineArticle": "MGZN",
    "manuscript": "MANSCPT", "map": "MAP", "newspaperArticle": "NEWS", "patent": "PAT", "podcast": "SOUND", "preprint": "UNPD",
    "presentation": "SLIDE", "radioBroadcast": "SOUND", "report": "RPRT", "standard": "STAND", "statute": "STAT", "thesis": "THES",
    "tvBroadcast": "VIDEO", "videoRecording": "VIDEO", "webpage": "WEB",
}  # fmt: skip
# The tags in which a field or a role is looked for, in this order: the plain ones before those that stand in.
_ORDER = "TI AU A1 A2 A3 A4 T2 T3 BT JF J2 JA JO VL IS M1 SE ET NV C1 C2 C3 C4 C5 C6 CY PB SV ST LA AB CN H2 AN DB DP CR OP M3 SN"
_TAGS = tuple(_ORDER.split())
_ACTED = {
    "DOI": "DO", "url": "UR", "PMID": "C5", "PMCID": "C2", "ISSN": "SN", "ISBN": "SN", "numPages": "SP", "runningTime": "SP",
    "archive": "DB", "libraryCatalog": "DP", "patentNumber": "SN", "reportNumber": "SN", "accessDate": "Y2", "issue": "IS",
    "publicationTitle": "T2",
}  # fmt: skip
_LATER = frozenset({"itemType", "creators", "tags", "collections", "relations", "key", "version", "deleted"})
# How a value is written where the tag is for something else too, or knows less.
_SHAPES: Mapping[str, Callable[[str], str]] = {
    "PMID": lambda value: f"PMID: {value}",  # Embase's tag for it, which others leave alone
    "accessDate": lambda value: value.partition("T")[0],
}
_FRAME = re.compile(r"\b(TY|ER) +-")
_RANGE = re.compile(r"(\d+)\s*[-\u2013]\s*(\d+)")


def as_ris(item: Mapping[str, Any], notes: Iterable[str] = ()) -> str:
    """An item of Zotero's API as one RIS reference. A value that RIS has no tag for goes into a note, under its name.

    notes: the HTML of its child notes.
    """
    word = _TYPES.get(item["itemType"], "GEN")
    kind = ITEM_TYPES[word]
    lines = [("TY", word), *_values(item, kind), *_people(item, kind)]
    lines += [("KW", tag["tag"]) for tag in item.get("tags", ())]
    lines += [("N1", _note(note)) for note in notes]
    return "".join(f"{tag}  - {_one_line(value)}\n" for tag, value in lines if value.strip()) + "ER  - \n\n"


def _values(item: Mapping[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    for name, value in item.items():
        if name in _LATER or not isinstance(value, str) or not value:
            continue
        base = schema.base_field(item["itemType"], name)
        if base == "date":
            yield from _date(value)
        elif base == "pages":
            yield from _pages(value)
        elif name not in {"dateAdded", "dateModified"}:
            tag = _tag(kind, schema.own_field(kind, base) or "")
            shape = _SHAPES.get(name)
            yield (tag, shape(value) if shape else value) if tag else ("N1", f"{name}: {value}")


def _date(value: str) -> Iterator[tuple[str, str]]:
    found = re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", value)
    year = re.search(r"\d{4}", value)
    if year:
        yield "PY", year.group()
    yield "DA", "/".join(part or "" for part in found.groups()) + "/" if found else value


def _pages(value: str) -> Iterator[tuple[str, str]]:
    found = _RANGE.fullmatch(value)
    yield from zip(("SP", "EP"), found.groups(), strict=True) if found else [("SP", value)]


def _people(item: Mapping[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """People in their order. A role that RIS does not know in this type is told in a note as well."""
    main = schema.primary_creator(item["itemType"])
    for person in item.get("creators", ()):
        name = person.get("name") or f"{person.get('lastName', '')}, {person.get('firstName', '')}".rstrip(", ")
        role = person["creatorType"]
        tag = "AU" if role in {main, "author"} else _tag(kind, f"@{role}")
        group = f"{name}," if person.get("name") and tag else name  # a comma at the end: not to be divided
        yield (tag, group) if tag else ("N1", f"{role}: {name}")


@cache
def _tag(kind: str, goal: str) -> str:
    """The tag from which the reader takes this field or role in this type; empty if there is none."""
    if goal in _ACTED and not goal.startswith("@"):
        return _ACTED[goal]
    for tag in _TAGS:
        found, _ = target(tag, kind)
        own = found if found.startswith("@") else schema.own_field(kind, found) if found and found[0] != "!" else ""
        if goal and own == goal:
            return tag
    return ""


def _note(note: str) -> str:
    return html.unescape(re.sub(r"<[^<>]+>", " ", note))


def _one_line(value: str) -> str:
    """A value on one line, in which nothing looks like the beginning or the end of a reference."""
    return _FRAME.sub("\\1 \u2013", " ".join(value.split()))
