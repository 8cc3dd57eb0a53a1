"""What a library promises: an account of every write, and a way to see what changed. One contract suite holds all kinds.

Item data is Zotero's API JSON (https://www.zotero.org/support/dev/web_api/v3/write_requests): the `data` object of an item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol, TypeAlias

ItemData: TypeAlias = Mapping[str, Any]

NOTHING: Mapping[str, int] = MappingProxyType({})
ALL_KNOWN: Mapping[str, frozenset[str]] = MappingProxyType({})  # nothing is lacking
BATCH = 50  # objects per write request, Zotero's own limit


@dataclass(frozen=True, slots=True)
class Write:
    """One object to write.

    version 0: create under exactly this key. Otherwise a partial update computed from that version: absent properties stay,
    arrays replace. A child (note) names its parent in `data["parentItem"]` and stands after it in the batch.
    """

    key: str
    version: int
    data: ItemData


@dataclass(frozen=True, slots=True)
class Receipt:
    """It landed. `data` is the object as the library holds it now, `version` its version.

    found: a create met its own key: it had landed before, and `data` may hold what somebody changed since.
    without: keys of collections that are not there any more, without which it was written.
    """

    key: str
    version: int
    data: ItemData
    found: bool = False
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The library refuses this one object for good (400, 413 ...), in its own words."""

    key: str
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """The object changed since the version the write was computed from. `theirs` is what the library holds, None if deleted.

    resent: the write was sent more than once, so that an earlier time may have landed before the object changed.
    """

    key: str
    version: int
    theirs: ItemData | None
    resent: bool = False


Answer: TypeAlias = Receipt | Refusal | Conflict


@dataclass(frozen=True, slots=True)
class Item:
    """One object of the library: key, version, data. `trashed` as `data["deleted"]` says."""

    key: str
    version: int
    data: ItemData

    @property
    def trashed(self) -> bool:
        """Whether it lies in the trash."""
        return bool(self.data.get("deleted"))


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed in a library after a version: items (trashed ones included), keys that are gone for good, the version now."""

    version: int
    items: tuple[Item, ...] = ()
    gone: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class File:
    """Bytes for the attachment item `key`, which exists.

    name: without folders.  md5: of the bytes, hex.  size: bytes.  mtime: of the last change, milliseconds since 1970.
    data: open, and read from its beginning as often as it takes.
    """

    key: str
    name: str
    content_type: str
    md5: str
    size: int
    mtime: int
    data: BinaryIO


class Kept(Enum):
    """What became of a file."""

    STORED = "stored"
    THERE = "there"  # the same bytes were there: an earlier answer was lost
    THEIRS = "theirs"  # other bytes are there, and stay
    GONE = "gone"  # its item is not there


# A refusal with QUOTA or NO_RIGHT concerns every file of its library, another one this file alone.
FileAnswer: TypeAlias = Kept | Refusal
QUOTA, NO_RIGHT = 413, 403


class Library(Protocol):
    """A place where items live. All calls come from one thread at a time."""

    @property
    def identity(self) -> str:
        """What this library is, for ever: `zotero:users/123`, `zotero:groups/5`, `embedded:<uuid>`. Item keys derive from it."""
        ...

    @property
    def requests(self) -> int:
        """How many requests it has made so far; 0 for one that needs none."""
        ...

    @property
    def lacks(self) -> Mapping[str, frozenset[str]]:
        """Fields of our schema that it does not know, by item type, as `check` found out; types without any are left out."""
        ...

    def check(self) -> None:
        """Raise CredentialFault where the key may not write here, Outage where the library cannot be reached."""
        ...

    def changes(self, since: int, known: Mapping[str, int] = NOTHING) -> Iterator[Delta]:
        """What changed after `since` (0: everything), page by page; the last page's version is where the next call starts.

        known: version by key of what need not come again. With neither, what is gone need not be told.
        """
        ...

    def collection(self, path: Sequence[str]) -> str:
        """The key of the collection at this path, made (with its parents) where it is missing."""
        ...

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        """One answer per write, in order; at most BATCH at once.

        A create that finds its own key taken (its answer was lost last time) is a Receipt with what lies there.
        Raises Outage where it is not known whether the batch landed: the same batch may be sent again, unchanged.
        """
        ...

    @property
    def takes_files(self) -> bool:
        """Whether `upload` keeps anything."""
        ...

    def upload(self, file: File) -> FileAnswer:
        """Keep a file with its attachment item, once; what lies there is never overwritten.

        Raises Outage where it is not known whether it arrived: the same file may be sent again.
        """
        ...

    def items(self) -> Iterator[Item]:
        """Every regular item that is not in the trash, with its children, for export."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
