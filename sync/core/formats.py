"""Which format a text is in, told by its content and not by the file's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sync.core import crossref_json, endnote, isi, medline, pubmed_xml, ris, ris_fields, ris_scan
from sync.core.record import Entry, Gap, Reading, SourceLine


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be read. looks_like: told from the first lines.  read: lines to entries.  to_reading: entry to record.

    scan: the same as `read`, from bytes and faster, where a format has that.
    """

    name: str
    label: str
    looks_like: Callable[[str], bool]
    read: Callable[[Iterable[SourceLine]], Iterator[Entry | Gap]]
    to_reading: Callable[[Entry], Reading]
    scan: Callable[[Iterable[bytes], Callable[[bytes], str], int], Iterator[Entry | Gap]] | None = None


# In the order in which they are tried: the strictest first.
FORMATS = (
    Format("pubmed-xml", "PubMed XML", pubmed_xml.looks_like, pubmed_xml.read, pubmed_xml.to_reading),
    Format("crossref-json", "Crossref JSON", crossref_json.looks_like, crossref_json.read, crossref_json.to_reading),
    Format("medline", "MEDLINE", medline.looks_like, medline.read, medline.to_reading),
    Format("endnote", "EndNote tagged", endnote.looks_like, endnote.read, endnote.to_reading),
    Format("isi", "Web of Science tagged", isi.looks_like, isi.read, isi.to_reading),
    Format("ris", "RIS", ris.looks_like, ris.read, ris_fields.to_reading, ris_scan.scan),
)

# What a file without a record seems to be, and what to do about it.
_FOREIGN = (
    (r"^\s*$", "the file is empty"),
    (r"^%PDF-", "this is a PDF; export the references as RIS instead"),
    (r"^\x1f.{1,3}\x08", "this is a gzip archive; unpack it and drop the RIS file inside"),
    (
        r"^(?:7z\W|Rar!\x1a|BZh\d1AY&SY|.{0,3}7zXZ\x00)",
        "this is a packed archive; unpack it and drop the RIS file inside",
    ),
    (r"^PK\x03\x04", "this is a ZIP archive (or an Office document); unpack it and drop the RIS file inside"),
    (
        r"^\s*(?:<!DOCTYPE html|<html)",
        "this is a web page, perhaps a login page saved instead of the export; export again",
    ),
    (r"^(?:[^\n]*\n){0,5}\s*@\w+\s*\{", "this looks like BibTeX; export as RIS instead"),
    (r"^\s*RT [A-Z][a-z]", "this looks like RefWorks tagged text, which is not read yet; export as RIS instead"),
    (r"^\s*<\?xml[^\n]*\s*<xml>\s*<records>", "this is EndNote XML, which is not read yet; export as RIS instead"),
    (r"^\s*<\?xml", "this is XML, but not PubMed's; export as RIS instead"),
    (r"^\s*[\[{]", "this looks like JSON, but not like Crossref's; export as RIS instead"),
    (r"^[^\n]*(?:,|;|\t)[^\n]*(?:,|;|\t)[^\n]*\n", "this looks like a table (CSV); export as RIS instead"),
)


def sniff(head: str) -> Format | None:
    """The format of a text by its beginning; None if it is none of ours."""
    return next((known for known in FORMATS if known.looks_like(head)), None)


def describe(head: str) -> str:
    """What a text seems to be, and what to do, where no record was found in it."""
    found = (told for pattern, told in _FOREIGN if re.search(pattern, head, re.IGNORECASE))
    return next(found, "no tag of RIS (TY  - ...) stands in it; is it the right file?")
