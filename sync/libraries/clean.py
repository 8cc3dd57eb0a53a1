"""What is sent to a library, in the form in which Zotero keeps it: trimmed text without broken characters. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

NAME_CHARACTERS = 255  # of a collection's name, a tag, a creator's name
# Half characters make Zotero refuse a whole request; it drops control characters other than tab and line feed by itself.
_BROKEN = re.compile(r"[\ud800-\udfff\x00-\x08\x0b-\x1f\x7f]")
_PARTS = ("firstName", "lastName", "name")
# Properties that are no text.
STRUCTURED = frozenset(
    {"creators", "tags", "collections", "relations", "deleted", "version", "parentItem", "mtime", "inPublications"}
)


def text(value: object) -> str:
    """A field's value as text: numbers and truth as Zotero turns them, no broken characters, no blanks around it."""
    if value is None or value is False:
        return ""
    return _BROKEN.sub("", ("1" if value is True else str(value)).replace("\r\n", "\n")).strip()


def cleaned(data: Mapping[str, Any]) -> dict[str, Any]:
    """Item data ready to be sent. A field that holds an array or an object stays as it is: `misshapen` names it."""
    return {name: _value(name, value) for name, value in data.items()}


def misshapen(data: Mapping[str, Any]) -> str:
    """The first field whose value is an array or an object, empty if there is none.

    An object as a field's value makes Zotero's server fail for the whole request, after it wrote what came before.
    """
    return next(
        (name for name, value in data.items() if name not in STRUCTURED and isinstance(value, (list, Mapping))), ""
    )


def collection_names(path: Sequence[str]) -> tuple[str, ...]:
    """A path's names as Zotero keeps them, at most 255 characters each. Raises ValueError for a path without names."""
    names = tuple(name for name in (text(part)[:NAME_CHARACTERS].strip() for part in path) if name)
    if not names:
        raise ValueError("a collection's path needs at least one name")
    return names


def _value(name: str, value: Any) -> Any:
    if name == "creators" and isinstance(value, (list, tuple)):
        people = [_creator(person) for person in value]
        # A name of nothing but blanks makes the server drop everybody who stands behind it.
        return [person for person in people if not isinstance(person, dict) or any(person.get(part) for part in _PARTS)]
    if name == "tags" and isinstance(value, (list, tuple)):
        return [_tag(tag) for tag in value]
    if name in STRUCTURED or isinstance(value, (list, Mapping)):
        return list(value) if isinstance(value, tuple) else value
    return text(value)


def _creator(person: Any) -> Any:
    return {part: text(value) for part, value in person.items()} if isinstance(person, Mapping) else person


def _tag(tag: Any) -> Any:
    return {**tag, "tag": text(tag["tag"])} if isinstance(tag, Mapping) and "tag" in tag else tag
