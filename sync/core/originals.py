"""A record as it stood in its drop, as a note or a text file beside its item. Pure."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_NOTE = 500_000  # letters that Zotero's server takes in a note
CHILD = "original"  # what its key is derived from, together with its parent's
TITLE = "Original record"
CONTENT_TYPE = "text/plain"
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes of a text file. md5: of them, hex."""

    data: bytes
    md5: str


def joined(texts: Sequence[str]) -> str:
    """The records of a drop that became one item, one after the other."""
    return "\n\n".join(text.strip("\n") for text in texts if text.strip())


def as_note(text: str) -> str:
    """The HTML of a note that shows the text as it is; empty where it is longer than a note may be."""
    told = f"<p>{TITLE}:</p><pre>{html.escape(text, quote=False)}</pre>"
    return told if len(told) <= MOST_NOTE else ""


def as_file(text: str) -> Original:
    """The text as a file's bytes."""
    data = f"{text}\n".encode("utf-8", "backslashreplace")
    return Original(data, hashlib.md5(data, usedforsecurity=False).hexdigest())  # what Zotero names files by


def file_name(drop: str) -> str:
    """What the file is called: with the ending of the drop that it comes from."""
    found = _SUFFIX.search(drop)
    return f"original{found.group().lower() if found else '.txt'}"
