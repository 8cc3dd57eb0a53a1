"""MEDLINE, as PubMed's `.nbib` files and ERIC's have it: text to entries. `medline_fields` makes records of them.

Tags: https://www.nlm.nih.gov/bsd/mms/medlineelements.html. A tag fills four columns, a dash and a blank follow; lines that go on
with a value are indented by six blanks; an empty line parts records. Other blanks are read where the tag is one of NLM's or ERIC's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from sync.core import tagged
from sync.core.medline_fields import to_reading
from sync.core.record import Entry, Gap, Problem, SourceLine
from sync.core.ris_lines import has_type_line

__all__ = ["looks_like", "read", "to_reading"]

_NAMES = (
    "AB AD AID AU AUID BTI CDAT CI CIN CN COI COIS CON CP CRDT CRF CRI CTDT CTI DA DCOM DDIN DEP DP DRDT DRIN ECF ECI ED EDAT"
    " EFR EIN EN FAU FED FIR FPS GN GR GS IP IR IRAD IS ISBN ISSN JC JID JT KW LA LID LR MH MHDA MID NM OAB OABL OCI OID ORI OT"
    " OTO OWN PB PG PHST PL PMC PMCR PMID PRIN PS PST PT PUBM RF RIN RN ROF RPF RPI RRF RRI SB SFM SI SO SPIN STAT STI TA TI TT"
    " UI UIN UOF VI VTI"
)
_KNOWN = frozenset(_NAMES.split())
_STARTS = frozenset({"PMID", "OWN", "UI"})  # UI stood before PMID in the files of the nineties
_PARAGRAPHED = frozenset({"AB", "OAB"})

_BLANK = r"[ \t\u00a0\ufeff]"
_STRICT = re.compile(r"(?=.{4}-(?: |$))([A-Z][A-Z0-9]{1,3}) {0,2}-(.*)", re.DOTALL)
_LOOSE = re.compile(rf"{_BLANK}{{0,3}}([A-Z]{{2,4}})(?:{_BLANK}{{0,3}}-{_BLANK}|{_BLANK}{{1,3}}-|-$)(.*)", re.DOTALL)
_TIGHT = re.compile(rf"{_BLANK}{{0,3}}([A-Z]{{2,4}}){_BLANK}{{0,3}}-(.*)", re.DOTALL)
_SPACED = re.compile(r"([A-Z][A-Z0-9]{1,3}) - (.*)", re.DOTALL)
_NUMBERED = re.compile(rf"{_BLANK}{{0,3}}(?:\d{{1,6}}[.:)]{_BLANK}*)?(PMID){_BLANK}{{0,3}}-({_BLANK}*\d.*)", re.DOTALL)
_TIGHT_START = re.compile(r"PMID-\d")
_COUNTER = re.compile(rf"{_BLANK}?\d{{1,6}}[.:)]?{_BLANK}*")
_INDENTED = re.compile(r"\t|[ \u00a0]{2}")

_BEGINS = re.compile(
    rf"^{_BLANK}*(?:\d{{1,6}}[.:)]{_BLANK}*)?(?:PMID ?-[ \t]*(?:\d|$)|OWN {{0,2}}- *[A-Za-z])", re.MULTILINE
)
_END_OF_RIS = re.compile(r"^ER {1,3}-", re.MULTILINE)

_MOST_HELD = 200  # lines after an empty one that are held back until a tag tells where they belong
_MOST_LETTERS = 1 << 20
_REJOINED = 0.9  # confidence
_BLANK_IN_VALUE = "an empty line stands inside a value; the text after it was taken for its rest"


def looks_like(head: str) -> bool:
    """Whether a text begins like MEDLINE: a line with a PMID, or with the owner as in ERIC's, and neither TY nor ER of RIS."""
    return _BEGINS.search(head) is not None and not has_type_line(head) and not _END_OF_RIS.search(head)


def read(lines: Iterable[SourceLine]) -> Iterator[Entry | Gap]:
    """Entries and gaps in the order of the file. Memory grows with the longest record, not with the file."""
    tags, joints = _Tags(), list[int]()
    style = tagged.Style(tag=tags.take, starts=_STARTS, blank_parts=True)
    for part in tagged.read(_Values(tags, joints).rejoined(lines), style):
        yield _reported(part, joints) if joints and isinstance(part, Entry) else part


def _reported(entry: Entry, joints: list[int]) -> Entry:
    """The entry with a Problem for each empty line that was taken out of it; later ones stay in the list."""
    mine = [number for number in joints if number <= entry.lines[1]]
    del joints[: len(mine)]
    problems = (Problem("blank-inside", _BLANK_IN_VALUE, number) for number in mine)
    sure = min(entry.confidence, _REJOINED) if mine else entry.confidence
    return replace(entry, problems=(*entry.problems, *problems), confidence=sure)


@dataclass(slots=True)
class _Tags:
    """How tags are told from text, as this file has been seen to write them.

    tight: its PMID has no blank behind the dash, and so perhaps no tag has.  loose: its short tags do not fill four columns.
    """

    tight: bool = False
    loose: bool = False

    def take(self, line: str) -> tuple[str, str] | None:
        """The tag and value of the next line of the file, or None."""
        found = self.told(line)
        if found is not None and found[0] == "PMID":
            self.tight = _TIGHT_START.match(line) is not None
        self.loose = self.loose or (found is not None and len(found[0]) < 4 and not _STRICT.match(line))
        return found

    def told(self, line: str) -> tuple[str, str] | None:
        """The tag and value of a line, or None: no known tag and not as the format has it."""
        strict = _STRICT.match(line)
        if strict:
            return strict[1], strict[2]
        found = (_TIGHT if self.tight else _LOOSE).fullmatch(line)
        if found and found[1] in _KNOWN:
            return found[1], found[2]
        other = _NUMBERED.fullmatch(line) or (_SPACED.fullmatch(line) if self.loose else None)
        return (other[1], other[2]) if other else None


@dataclass(slots=True)
class _Values:
    """Puts together values that empty lines cut in two. joints: gets the number of each empty line that was taken out."""

    tags: _Tags
    joints: list[int]
    last: str = ""  # tag of the value that is open
    held: list[SourceLine] = field(default_factory=list)
    letters: int = 0

    def rejoined(self, lines: Iterable[SourceLine]) -> Iterator[SourceLine]:
        """The lines, without the empty ones inside a value, and with one before a counter that follows a record directly."""
        for line in lines:
            found = self.tags.told(line.text)
            if found is not None:
                yield from self._released(found[0])
                self.last = found[0]
                yield line
            elif self.last and (self.held or _parts(line.text)):
                self.held.append(line)
                self.letters += len(line.text)
                yield from self._limited()
            else:
                yield line
        yield from self._released("")

    def _released(self, tag: str) -> list[SourceLine]:
        """What was held back, now that it is known which tag follows; an empty one stands for the end of the file."""
        held, self.held, self.letters = self.held, [], 0
        if not held:
            return held
        if tag in _STARTS and held[0].text.strip():  # a counter
            return [held[0]._replace(text="", end=held[0].start), *held]
        text = [line for line in held if line.text.strip()]
        if len(text) == len(held) or not text or not self._goes_on(text, tag):
            return held
        self.joints.append(next(line.number for line in held if not line.text.strip()))
        return text

    def _goes_on(self, text: list[SourceLine], tag: str) -> bool:
        """Whether text after an empty line belongs to the value before it, as the next tag is none that begins a record."""
        if not tag or tag == "TI" or tag in _STARTS:
            return False
        return self.last in _PARAGRAPHED or all(_INDENTED.match(line.text) for line in text)

    def _limited(self) -> list[SourceLine]:
        """What is held, where it is more than any value has after an empty line."""
        if len(self.held) < _MOST_HELD and self.letters < _MOST_LETTERS:
            return []
        held, self.held, self.letters, self.last = self.held, [], 0, ""
        return held


def _parts(line: str) -> bool:
    """Whether a line may part records: it is empty, or a counter."""
    return not line.strip("\ufeff \t\u00a0") or _COUNTER.fullmatch(line) is not None
