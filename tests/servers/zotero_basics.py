"""What the rules of the stand-in share: the faults of one object, limits of length, and a value's plain form."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

Data: TypeAlias = dict[str, Any]
Sent: TypeAlias = Mapping[str, Any]

KEY = re.compile(r"[2-9A-NP-Z]{8}\Z")
FIELD_BYTES, NAME_CHARACTERS, TAG_CHARACTERS, NOTE_CHARACTERS = 65_535, 255, 255, 500_000
ATTACHMENT_FIELDS = ("title", "accessDate", "url")
FILE_PROPERTIES = ("contentType", "charset", "filename", "path", "md5", "mtime")
BOOKKEEPING = frozenset({"key", "version", "itemType", "dateAdded", "dateModified", "inPublications"})
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class ObjectError(Exception):
    """One object of a request is refused; the others are not touched."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None, key: str = "") -> None:
        super().__init__(message)
        self.code, self.data, self.key = code, data, key

    def report(self) -> Data:
        """The entry of a write report's `failed`."""
        entry: Data = {"code": self.code, "message": escaped(str(self))}
        return ({"key": self.key} if self.key else {}) | entry | ({"data": dict(self.data)} if self.data else {})


class PoisonError(Exception):
    """A value that breaks the server's loop: the whole request ends with 500, what came before it stays written."""


def sorted_tags(data: Sent) -> list[Data]:
    """An item's tags in the order in which they are shown."""
    return sorted(data.get("tags", ()), key=lambda tag: str(tag["tag"]))


def escaped(text: str) -> str:
    """Text as the server puts it into messages: quotes as they are, the rest of HTML's characters escaped."""
    return html.escape(text, quote=False).replace('"', "&quot;")


def shortened(text: str) -> str:
    """The first fifty characters and an ellipsis."""
    return f"{text[:50]}…"


def plain(name: str, value: object) -> str:
    """A field's value as stored: text, trimmed, no control characters but tab and line feed.

    Raises ObjectError for an array, PoisonError for an object.
    """
    if isinstance(value, list):
        raise ObjectError(400, f"Unexpected array for property '{name}'")
    if isinstance(value, Mapping):
        raise PoisonError(name)
    if value is None or value is False:
        return ""
    return CONTROL.sub("", "1" if value is True else str(value)).strip()


def unwrapped(sent: Sent) -> Sent:
    """The editable part: a whole answer (`key, version, library, data`) may be sent back as it came."""
    return sent["data"] if "data" in sent and "key" in sent else sent
