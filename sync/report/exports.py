"""The items of a library in the forms that other programs read. Pure: each form gives the text in parts, a line or more at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sync.core.items import is_regular
from sync.core.write_csl import as_csl
from sync.core.write_ris import as_ris

Items = Iterable[Mapping[str, Any]]


def as_lines(items: Items) -> Iterator[str]:
    """Every object, notes and attachments too, as Zotero's API has it: one line of JSON each."""
    return (json.dumps(item, ensure_ascii=False) for item in items)


def as_references(items: Items) -> Iterator[str]:
    """Every item of its own as a RIS reference, with its notes."""
    held = list(items)
    notes: dict[str, list[str]] = {}
    for child in held:
        if child.get("itemType") == "note" and child.get("parentItem"):
            notes.setdefault(child["parentItem"], []).append(child.get("note", ""))
    return (as_ris(item, notes.get(item["key"], ())).rstrip("\n") + "\n" for item in held if is_regular(item))


def as_citations(items: Items) -> Iterator[str]:
    """Every item of its own, as one list of CSL-JSON."""
    before = "["
    for item in items:
        if is_regular(item):
            yield f"{before}{json.dumps(as_csl(item), ensure_ascii=False)}"
            before = ","
    yield "]" if before == "," else "[]"


EXPORTS: Mapping[str, Callable[[Items], Iterator[str]]] = {
    "json": as_lines,
    "ris": as_references,
    "csl-json": as_citations,
}
