"""A record as Zotero's API item JSON, and back. Almost the identity: the words are the same.

Source of the shape: https://www.zotero.org/support/dev/web_api/v3/types_and_fields and .../write_requests
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sync.core import notices, schema
from sync.core.identifiers import parse_doi, parse_pmcid, parse_pmid
from sync.core.keywords import Keywords
from sync.core.record import Creator, Record

# Identifiers that get a line in Extra where the item type has no field of that name; Zotero reads these lines.
EXTRA_LINES = ("PMID", "PMCID")
_EXTRA_LINE = re.compile(r"^\s*(DOI|PMID|PMCID)\s*:\s*(\S.*?)\s*$", re.MULTILINE | re.IGNORECASE)
_PARSE = {"DOI": parse_doi, "PMID": parse_pmid, "PMCID": parse_pmcid}


def to_item(record: Record) -> dict[str, Any]:
    """The record as item JSON without empty fields; keywords as plain tags."""
    item: dict[str, Any] = {"itemType": record.item_type}
    if record.identifiers:
        known = schema.fields(record.item_type)
        item |= {name: value for name, value in record.identifiers.items() if name in known}
    item |= record.fields
    if record.creators:
        item["creators"] = [_to_creator(creator) for creator in record.creators]
    if record.tags:
        item["tags"] = [{"tag": tag} for tag in record.tags]
    return item


def new_item(
    record: Record, *, collections: Sequence[str] = (), tags: Sequence[str] = (), keywords: str | Keywords = "automatic"
) -> dict[str, Any]:
    """Item JSON ready to be created.

    collections: keys.  tags: names that the inbox adds, as a person's tags.  keywords: `automatic`, `manual`, `off`, or by a table.
    What notices say of the work ("Retracted") is a person's tag as well: automatic ones are wiped at a click.
    """
    item = to_item(record)
    item["extra"] = _with_extra_lines(record)
    ordinary = dict.fromkeys((*tags, *notices.tags(record.notices)))
    item["tags"] = _merge_tags([{"tag": tag} for tag in ordinary], keyword_tags(record.tags, keywords))
    item["collections"] = list(collections)
    item["relations"] = {}
    return item if item["extra"] else {name: value for name, value in item.items() if name != "extra"}


def keyword_tags(keywords: Iterable[str], how: str | Keywords) -> list[dict[str, Any]]:
    """Keywords as Zotero tags: `automatic` (type 1), `manual`, none at all with `off`, or by a table."""
    return (how if isinstance(how, Keywords) else Keywords(how)).tags(keywords)


def note_item(html: str, parent: str) -> dict[str, Any]:
    """A child note."""
    return {"itemType": "note", "parentItem": parent, "note": html, "tags": [], "relations": {}}


def replaced(data: Mapping[str, Any]) -> list[str]:
    """The keys of the items that were merged into this one in Zotero: its `dc:replaces` relations."""
    them = (data.get("relations") or {}).get("dc:replaces", ())
    return [uri.rpartition("/")[2] for uri in ([them] if isinstance(them, str) else them)]


def is_regular(data: Mapping[str, Any]) -> bool:
    """Whether this is an item of its own, not a note, attachment or annotation."""
    return data.get("itemType") in schema.ITEM_TYPES


def from_item(data: Mapping[str, Any]) -> Record:
    """What a library's item says, in our words; fields that the schema does not know are left out."""
    kind = data["itemType"]
    known, roles = schema.fields(kind), schema.creator_types(kind)
    fields = {name: value for name, value in data.items() if name in known and isinstance(value, str) and value}
    people = [_from_creator(raw, roles) for raw in data.get("creators", ())]
    return Record(
        item_type=kind,
        fields=fields,
        creators=tuple(person for person in people if person),
        tags=tuple(tag["tag"] for tag in data.get("tags", ())),
        identifiers=identifiers_of(fields),
    )


def identifiers_of(fields: Mapping[str, str]) -> dict[str, str]:
    """DOI, PMID and PMCID out of their fields, or out of the lines of Extra."""
    found = {name.upper(): value for name, value in _EXTRA_LINE.findall(fields.get("extra", ""))}
    found |= {name: fields[name] for name in _PARSE if fields.get(name)}
    parsed = {name: _PARSE[name](value) for name, value in found.items()}
    return {name: value for name, value in parsed.items() if value}


def _with_extra_lines(record: Record) -> str:
    known = schema.fields(record.item_type)
    lines = [record.fields.get("extra", "")]
    lines += [
        f"{name}: {record.identifiers[name]}"
        for name in EXTRA_LINES
        if name in record.identifiers and name not in known and f"{name}: " not in lines[0]
    ]
    return "\n".join(line for line in lines if line)


def _merge_tags(first: Sequence[dict[str, Any]], more: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {tag["tag"] for tag in first}
    return [*first, *(tag for tag in more if tag["tag"] not in names)]


def _to_creator(creator: Creator) -> dict[str, str]:
    if creator.name:
        return {"creatorType": creator.creator_type, "name": creator.name}
    return {"creatorType": creator.creator_type, "firstName": creator.first, "lastName": creator.last}


def _from_creator(raw: Mapping[str, str], roles: Sequence[str]) -> Creator | None:
    role = raw.get("creatorType", "")
    role = role if role in roles else roles[0] if roles else ""
    last, first, name = raw.get("lastName", ""), raw.get("firstName", ""), raw.get("name", "")
    if not role or not (last or first or name):
        return None
    return Creator(role, name=name) if name else Creator(role, last=last, first=first)
