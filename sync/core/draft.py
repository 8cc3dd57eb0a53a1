"""A record in the making, and values made fit for it: what the readers of tagged formats work on."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from sync.core import schema
from sync.core.identifiers import doi_key
from sync.core.markup import abstract, rich
from sync.core.record import Attachment, Creator, Entry, Record
from sync.core.text import CONTROL, GARBLED, mojibake, squeeze, unescape

RAW = frozenset({"N1", "RN"})  # notes: their entities and markup are `notes`' business
ABSTRACTS = frozenset({"AB", "N2"})
LINED = frozenset(
    {"KW", "L1", "L2", "L3", "L4", "UR", "LK", "SN", "AU", "A1", "A2", "A3", "A4", "A5", "A6", "ED", "DO"}
)
MARKED = frozenset(
    {"TI", "T1", "T2", "T3", "CT", "BT", "ST", "J2", "JF", "JO", "JA"}
)  # titles: italics and the like are kept

# What `clean` would change: controls, odd blanks, entities, markup, garbled letters; all else is plain.
_ODD_BYTES = bytes(code for code in range(128) if (code < 32 and code != 10) or code in b"&<\x7f")
_PLAIN_BYTES = bytes(code for code in range(128) if code not in _ODD_BYTES)
_COMPOSING = "\u0300"  # the first letter that may be composed with the one before it
_ODD = re.compile(f"[^\\S\n ]|[&<]|{CONTROL.pattern}|{GARBLED.pattern}")
_WRAPPED = 60  # letters: a line at least this long was wrapped by the program that wrote it


@dataclass(slots=True)
class Draft:
    """What is known of a record so far. word: the reference type as it stands after TY, in capitals."""

    kind: str
    word: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    creators: list[Creator] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    identifiers: dict[str, str] = field(default_factory=dict)
    unmapped: list[tuple[str, str]] = field(default_factory=list)
    container: str = ""  # a title above the work's own that has no field yet
    year: str = ""  # PY
    end_page: str = ""
    databases: list[str] = field(default_factory=list)  # DB and DP, all of them
    line: int = 0  # of the value that is being placed
    doubts: dict[str, int] = field(default_factory=dict)  # codes of what `tidy` acts on, each with its first line

    def put(self, name: str, value: str) -> bool:
        """Fill a field (base fields under the type's own name); False if the type has none, or one with another value."""
        own = schema.own_fields(self.kind).get(name) if value else None
        if own is None:
            return False
        return self.fields.setdefault(own, value) == value

    def get(self, name: str) -> str:
        """The value of a field or base field; empty if there is none."""
        return self.fields.get(schema.own_fields(self.kind).get(name, ""), "")

    def identify(self, name: str, value: str) -> bool:
        """Note an identifier; False if the record has another one already."""
        known = self.identifiers.setdefault(name, value)
        return known == value or doi_key(known) == doi_key(value)

    def doubt(self, code: str) -> None:
        """Say that `tidy` should look at the value that is being placed."""
        self.doubts.setdefault(code, self.line)

    def keep(self, tag: str, value: str) -> None:
        """A value that has no place."""
        self.unmapped.append((tag, value))

    def record(self) -> Record:
        """The record, its identifiers in fields where the type has them; a note that only repeats the title is left out."""
        known = schema.fields(self.kind)
        for name, value in self.identifiers.items():
            if name in known:
                self.fields.setdefault(name, value)
        title = f"<p>{html.escape(self.get('title'), quote=False)}</p>" if self.notes else ""
        return Record(
            item_type=self.kind,
            fields=self.fields,
            creators=tuple(self.creators),
            tags=tuple(dict.fromkeys(self.tags)),
            notes=tuple(note for note in self.notes if note != title) if self.notes else (),
            attachments=tuple(self.attachments),
            identifiers=self.identifiers,
            unmapped=tuple(self.unmapped),
        )


def is_plain(entry: Entry) -> bool:
    """Whether `clean` has nothing to do for its values of one line without two blanks: no markup, nothing odd. Much faster than to clean."""
    text = entry.text
    if text.isascii():
        return len(text.encode().translate(None, _ODD_BYTES)) == len(text)
    beyond = text.encode("utf-8", "surrogatepass").translate(None, _PLAIN_BYTES).decode("utf-8", "surrogatepass")
    # Without what stands between them letters may seem to stand together.
    if _ODD.search(beyond) and _ODD.search(text):
        return False
    return max(beyond) < _COMPOSING or unicodedata.is_normalized("NFC", text)


def clean(tag: str, value: str, *, plain: bool = False) -> str:
    """A value without the damage of its line: wrapped lines joined, entities resolved, blanks folded, encoding mended.

    plain: whether it is known (`is_plain`) that nothing but line ends and blanks is to be mended.
    """
    text = value if plain else CONTROL.sub("", value)
    text = text if plain or text.isascii() else unicodedata.normalize("NFC", mojibake(text))
    if tag in RAW:
        return unwrap(text)
    if tag in ABSTRACTS:
        return abstract(unwrap(text)) if "<" in text or "&" in text else unwrap(text)
    if tag in LINED:
        return "\n".join(line for part in unescape(text).split("\n") if (line := squeeze(part)))
    if tag in MARKED and ("<" in text or "&" in text):
        return rich(text)
    return squeeze(unescape(text))


def unwrap(text: str) -> str:
    """Lines that were wrapped are joined again; short lines are paragraphs and stay."""
    lines = text.split("\n")
    lines = [
        line.strip() if line.isascii() and "  " not in line and "\t" not in line else squeeze(line) for line in lines
    ]
    out = lines[0]
    for before, line in pairwise(lines):
        out += (" " if len(before) >= _WRAPPED and line else "\n") + line
    return (re.sub(r"\n{3,}", "\n\n", out) if "\n\n\n" in out else out).strip()


def table(rows: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """A table of words: `{"DOI": "ID AN"}` to sets."""
    return {name: frozenset(row.split()) for name, row in rows.items()}
