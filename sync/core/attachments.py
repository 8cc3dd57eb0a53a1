r"""What an attachment of a record names: an address of the web, or a file that came with the drop. Pure: nothing is looked at.

Forms of paths as seen in exports: `files/12/Moss.pdf` (Zotero), `internal-pdf://0123/Moss.pdf` (EndNote), `file:///C:/Users/...`
(Mendeley), `C:\Users\...` and plain absolute paths of the machine that wrote the export.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from sync.core.identifiers import parse_doi

_WEB = re.compile(r"(?:https?|ftp)://[^\s/]", re.IGNORECASE)
_BARE_WEB = re.compile(r"www\.[\w-]+\.", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)  # two letters at least: one is a drive
_DRIVE = re.compile(r"[a-z]:", re.IGNORECASE)
_OF_A_MACHINE = re.compile(r"[a-z]:[\\/]|\\\\|/", re.IGNORECASE)  # how an absolute path begins
_ENDNOTE_FOLDER = "PDF"  # where EndNote keeps the files of `internal-pdf:`
_MOST_PATH = 4_096  # letters; what is longer is no path


def web_address(value: str) -> str:
    """The address of the web that a value is; empty if it is none."""
    value = value.strip()
    if re.search(r"\s", value):
        return ""
    return value if _WEB.match(value) else f"http://{value}" if _BARE_WEB.match(value) else ""


def file_paths(value: str) -> tuple[str, ...]:
    """Where the file that a value names may lie, likeliest first; empty if it names no file.

    Parts are parted by `/`. A path that begins with `/` is absolute, others are meant from the folder of the drop. An absolute
    path is most often one of another machine: each of its ends, longest first, may be the place beside the drop.
    """
    value = value.strip()
    scheme = _SCHEME.match(value)
    known = scheme[1].lower() if scheme else ""
    if not value or len(value) > _MOST_PATH or "\0" in value or web_address(value) or parse_doi(value):
        return ()
    if known not in _READ:
        return ()
    return tuple(dict.fromkeys(_spelled(_READ[known](value))))


def link_item(address: str, title: str, parent: str) -> dict[str, Any]:
    """A child attachment that is nothing but an address."""
    return _child(parent, "linked_url", title or address) | {"url": address}


def file_item(name: str, content_type: str, title: str, parent: str) -> dict[str, Any]:
    """A child attachment whose file is uploaded once it is there."""
    return _child(parent, "imported_file", title or name) | {"filename": name, "contentType": content_type}


def _child(parent: str, mode: str, title: str) -> dict[str, Any]:
    plain = {"itemType": "attachment", "linkMode": mode, "parentItem": parent, "title": title}
    return {**plain, "tags": [], "relations": {}}


def _plain(value: str) -> list[str]:
    if _OF_A_MACHINE.match(value):
        return _ends(value)
    slashed = value.replace("\\", "/")
    return [value, slashed, unquote(slashed)]


def _file(value: str) -> list[str]:
    """`file:///a/b.pdf`, `file://host/a/b.pdf`, `file:a/b.pdf`, `file:///C:/a/b.pdf`."""
    rest = unquote(value.partition(":")[2])
    if not rest.startswith(("/", "\\")):
        return _plain(rest)
    return _ends("/" + rest.partition("//")[2].partition("/")[2] if rest.startswith("//") else rest)


def _endnote(value: str) -> list[str]:
    rest = value.partition(":")[2].replace("\\", "/").lstrip("/")
    forms = [form for path in dict.fromkeys((rest, unquote(rest))) for form in (f"{_ENDNOTE_FOLDER}/{path}", path)]
    return [*forms, rest.rpartition("/")[2]]


_READ = {"": _plain, "file": _file, "internal-pdf": _endnote}


def _ends(path: str) -> list[str]:
    """The path itself where it can be one of this machine, then its ends, the longest first."""
    slashed = path.replace("\\", "/")
    local = [slashed] if slashed.startswith("/") and not slashed.startswith("//") else []
    parts = [part for part in slashed.split("/") if part and not _DRIVE.fullmatch(part)]
    return [*local, *("/".join(parts[start:]) for start in range(len(parts)))]


def _spelled(paths: Sequence[str]) -> Iterator[str]:
    """Each path as it is, and as other systems write its accents (macOS takes them apart)."""
    for path in paths:
        yield from (form for form in (path, *(unicodedata.normalize(how, path) for how in ("NFC", "NFD"))) if form)
