"""The vocabulary: what a drop holds, what we know of a work, and where each value came from.

The words are Zotero's own (https://www.zotero.org/support/kb/item_types_and_fields): item types, field names and
creator types are checked against `schema` when a `Record` is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, overload

from sync.core import schema

SURE_ENOUGH = 0.7  # a repair of less confidence is a question to a person, and does not go into a library
AUTHOR_EVERYWHERE = ("author",)  # Zotero's server takes an author on every type


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the input: a value, never raised.

    `code` is a stable kebab-case word (`tag-unknown`, `line-breaks-lost`), `line` the 1-based line in the drop.
    """

    code: str
    message: str
    line: int | None = None


class SourceLine(NamedTuple):
    """One physical line of a drop: 1-based number, byte range in the file (the line end included), text without its end."""

    number: int
    start: int
    end: int
    text: str


# One tagged value of an entry as it stood: its tag, the value with its continuation lines joined by newlines, its 1-based line.
# Blanks and line ends after the value are not part of it. A plain tuple: files hold millions of them.
Tagged: TypeAlias = tuple[str, str, int]


class Rows(Sequence[Tagged]):
    """Tagged values that are kept by columns: a row is made when somebody looks at it. Equal to a tuple of the same rows."""

    __slots__ = ("lines", "tags", "values")

    def __init__(self, tags: Sequence[str], values: Sequence[str], lines: Sequence[int]) -> None:
        self.tags, self.values, self.lines = tags, values, lines

    @classmethod
    def of(cls, rows: Sequence[Tagged]) -> Rows:
        """The same rows by columns."""
        return rows if isinstance(rows, Rows) else cls(*zip(*rows, strict=True)) if rows else cls((), (), ())

    def __iter__(self) -> Iterator[Tagged]:
        return zip(self.tags, self.values, self.lines, strict=True)

    def __len__(self) -> int:
        return len(self.tags)

    @overload
    def __getitem__(self, place: int) -> Tagged: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Tagged, ...]: ...

    def __getitem__(self, place: int | slice) -> Tagged | tuple[Tagged, ...]:
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        return tuple(self) == (tuple(other) if isinstance(other, Rows) else other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


@dataclass(frozen=True, slots=True)
class Entry:
    """One reference as it stood in the drop.

    ordinal: 1-based place in the drop.  lines: first and last line, 1-based, inclusive.
    bytes: half-open byte range in the file.  anchor: byte offset of the first tagged line (item keys are derived from it).
    text: the exact original text; formats without tags (XML, JSON) have no `tagged` and are read from it.
    problems: what the reader had to repair or guess.  confidence: 0 to 1, how sure it is that the values are told apart as they
    were meant; 1 where nothing had to be repaired.
    """

    ordinal: int
    lines: tuple[int, int]
    bytes: tuple[int, int]
    anchor: int
    tagged: Sequence[Tagged]
    text: str
    problems: tuple[Problem, ...] = ()
    confidence: float = 1.0

    @property
    def doubtful(self) -> bool:
        """Whether a person should look at it before anybody else does."""
        return self.confidence < SURE_ENOUGH


@dataclass(frozen=True, slots=True)
class Gap:
    """Text between entries that belongs to none (banners, counters, notices): counted and kept, never an error."""

    lines: tuple[int, int]
    bytes: tuple[int, int]
    text: str


@dataclass(frozen=True, slots=True)
class Creator:
    """A person (`last`, `first`) or a one-field name (`name`: a group, or a name whose parts are not known)."""

    creator_type: str
    last: str = ""
    first: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if bool(self.name) == bool(self.last or self.first):
            raise ValueError(f"a creator has either a name or a last and first name: {self!r}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A link or a path that came with the record; never fetched while reading."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value came from: `Provenance("crossref", "doi", "2026-11-23T08:00:00Z")`.

    source: `drop`, or the name of a source.  how: what found it (`doi`, `pmid`, a tag).  at: UTC instant, ISO 8601.
    """

    source: str
    how: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something published about a work. kind: `retraction`, `concern`, `correction` ... (`notices` has the list).

    doi, pmid: of the notice itself (of the article, for a preprint that was published), canonical, in small letters; may be empty.
    date: ISO 8601 as far as known.  said: the source's own words for it.
    """

    kind: str
    doi: str = ""
    pmid: str = ""
    date: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What we hold of one work.

    item_type, fields, creators: Zotero's names, checked against the schema; no empty values.
    tags: keywords, in order, without repeats.  notes: HTML, safe to show.
    identifiers: canonical identifiers by name (`DOI`, `PMID`, `PMCID`, `arXiv`), whether the type has a field for them or not.
    unmapped: values that have no place in the item: (tag, value), in order.
    notices: what was published about the work, as `notices.joined` gives it.
    """

    item_type: str
    fields: Mapping[str, str] = field(default_factory=dict)
    creators: tuple[Creator, ...] = ()
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict)
    unmapped: tuple[tuple[str, str], ...] = ()
    notices: tuple[Notice, ...] = ()

    def __post_init__(self) -> None:
        known = schema.fields(self.item_type)
        if not self.fields.keys() <= known:
            raise ValueError(f"{self.item_type} has no field {', '.join(sorted(self.fields.keys() - known))}")
        roles = _roles(self.item_type)
        strangers = {creator.creator_type for creator in self.creators if creator.creator_type not in roles}
        if strangers:
            raise ValueError(f"{self.item_type} has no creator type {', '.join(sorted(strangers))}")
        object.__setattr__(self, "fields", _filled(self.fields))
        object.__setattr__(self, "identifiers", _filled(self.identifiers))

    def base(self, name: str) -> str:
        """The value behind a base field: `base("publicationTitle")` reads `bookTitle` of a chapter. Empty if there is none."""
        return self.fields.get(schema.own_fields(self.item_type).get(name, ""), "")

    @property
    def title(self) -> str:
        """The title under whatever name this type has for it (`caseName`, `subject`, `nameOfAct`)."""
        return self.base("title")

    def with_fields(self, changed: Mapping[str, str]) -> Record:
        """The same record with these fields set; an empty value takes the field away."""
        return replace(self, fields={**self.fields, **changed})


@cache
def _roles(item_type: str) -> frozenset[str]:
    return frozenset((*schema.creator_types(item_type), *AUTHOR_EVERYWHERE))


def _filled(values: Mapping[str, str]) -> Mapping[str, str]:
    full = dict(values) if all(values.values()) else {name: value for name, value in values.items() if value}
    return MappingProxyType(full)


@dataclass(frozen=True, slots=True)
class Reading:
    """How one entry was read: its record (None where nothing could be made of it) and what was wrong."""

    entry: Entry
    record: Record | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that a source or the library offers for one of ours, and how it was found."""

    record: Record
    because: Provenance


def to_json(record: Record) -> dict[str, Any]:
    """A record as plain JSON values, for the ledger; `from_json` is its inverse."""
    return {
        "item_type": record.item_type,
        "fields": dict(record.fields),
        "creators": [[c.creator_type, c.last, c.first, c.name] for c in record.creators],
        "tags": list(record.tags),
        "notes": list(record.notes),
        "attachments": [[a.title, a.url] for a in record.attachments],
        "identifiers": dict(record.identifiers),
        "unmapped": [list(pair) for pair in record.unmapped],
        **({"notices": [[n.kind, n.doi, n.pmid, n.date, n.said] for n in record.notices]} if record.notices else {}),
    }


def from_json(data: Mapping[str, Any]) -> Record:
    """The record that `to_json` wrote down."""
    return Record(
        item_type=data["item_type"],
        fields=data["fields"],
        creators=tuple(Creator(*parts) for parts in data["creators"]),
        tags=tuple(data["tags"]),
        notes=tuple(data["notes"]),
        attachments=tuple(Attachment(*parts) for parts in data["attachments"]),
        identifiers=data["identifiers"],
        unmapped=tuple((tag, value) for tag, value in data["unmapped"]),
        notices=tuple(Notice(*parts) for parts in data.get("notices", ())),
    )
