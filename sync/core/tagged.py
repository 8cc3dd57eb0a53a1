"""Lines with a tag before the value, to entries: what MEDLINE, EndNote's and Web of Science's tagged formats have in common.

A format says with a `Style` how its tags look and where its records begin and end; the rest is the same for all: continuation
lines, damage, text between records. RIS has more shapes than these and its own reader.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sync.core.record import Entry, Gap, Problem, SourceLine
from sync.core.text import CONTROL, mojibake, squeeze, unescape

MOST_LINES = 100_000  # of one record; what follows is text up to the next one
MOST_LETTERS = 1 << 24
_LONG_LINE = 1 << 20
_TOO_LONG = 0.3  # confidence
_MOST_LOOSE = 500  # lines of text between records that are held back; a longer run is given out in parts


@dataclass(frozen=True, slots=True)
class Style:
    """How a tagged format is written.

    tag: a line's tag and value, or None.  starts: tags that begin a record.  end: the tag that closes one, if there is one.
    frame: tags around records (`FN`, `EF`), of which nothing is read.  blank_parts: an empty line closes a record.
    """

    tag: Callable[[str], tuple[str, str] | None]
    starts: frozenset[str]
    end: str = ""
    frame: frozenset[str] = frozenset()
    blank_parts: bool = False


@dataclass(slots=True)
class _Open:
    lines: list[SourceLine] = field(default_factory=list)
    rows: list[tuple[str, list[str], int]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    letters: int = 0
    blank: bool = False  # an empty line was the last


def read(lines: Iterable[SourceLine], style: Style) -> Iterator[Entry | Gap]:
    """Entries and gaps in the order of the file. Memory grows with the longest record, not with the file."""
    return _Reader(style).read(lines)


def clean(value: str) -> str:
    """A value with its lines joined, entities resolved, blanks folded, encoding mended."""
    text = unescape(CONTROL.sub("", value))
    return squeeze(text if text.isascii() else unicodedata.normalize("NFC", mojibake(text)))


class _Reader:
    def __init__(self, style: Style) -> None:
        self._style = style
        self._ordinal = 0
        self._open: _Open | None = None
        self._loose: list[SourceLine] = []
        self._flooded = False  # the record was longer than any is; its rest is text

    def read(self, lines: Iterable[SourceLine]) -> Iterator[Entry | Gap]:
        for line in lines:
            yield from self._take(line)
        yield from self._close(at_end=True)
        yield from self._gap()

    def _take(self, line: SourceLine) -> Iterator[Entry | Gap]:
        found = self._style.tag(line.text)
        current = self._open
        if found is None:
            yield from self._untagged(line)
            return
        if found[0] in self._style.frame:
            yield from self._close()
            self._loose.append(line)
            return
        tag, value = found
        if self._flooded and tag not in self._style.starts:
            yield from self._untagged(line)
            return
        if current is None or self._begins(current, tag):
            yield from self._close()
            yield from self._gap()
            current = self._open = _Open()
            if tag not in self._style.starts:
                message = f"the record begins with {tag} and not as such records do; what stood before it is lost"
                current.problems.append(Problem("start-missing", message, line.number))
        self._add(current, line, tag, value)
        if tag == self._style.end:
            yield from self._close()
        else:
            yield from self._limited(current)

    def _begins(self, current: _Open, tag: str) -> bool:
        """Whether a tag opens the next record."""
        if tag in self._style.starts:
            return current.blank or tag in current.seen
        return current.blank and self._style.blank_parts and tag == current.rows[0][0]

    def _add(self, current: _Open, line: SourceLine, tag: str, value: str) -> None:
        if current.blank and self._style.blank_parts:
            current.problems.append(Problem("blank-inside", "an empty line stands inside the record", line.number - 1))
        current.blank = self._flooded = False
        current.letters += len(line.text)
        current.lines.append(line)
        current.rows.append((tag, [value.strip()], line.number))
        current.seen.add(tag)

    def _untagged(self, line: SourceLine) -> Iterator[Entry | Gap]:
        current = self._open
        if not line.text.strip("\ufeff \t"):
            if current is not None:
                current.blank = True
            return
        if current is not None and not (current.blank and self._style.blank_parts):
            current.rows[-1][1].append(line.text.strip())
            current.lines.append(line)
            current.letters += len(line.text)
            yield from self._limited(current)
            return
        yield from self._close()
        self._loose.append(line)
        if len(self._loose) >= _MOST_LOOSE or len(line.text) >= _LONG_LINE:
            yield from self._gap()

    def _limited(self, current: _Open) -> Iterator[Entry]:
        """End a record that is longer than any is."""
        if len(current.lines) >= MOST_LINES or current.letters >= MOST_LETTERS:
            message = (
                f"the record is longer than {MOST_LINES} lines or {MOST_LETTERS} letters; its rest is kept as text"
            )
            current.problems.append(Problem("too-long", message, current.lines[-1].number))
            self._flooded = True
            yield from self._close()

    def _close(self, *, at_end: bool = False) -> Iterator[Entry]:
        current, self._open = self._open, None
        if current is None:
            return
        if self._style.end and current.rows[-1][0] != self._style.end:
            where = "it ends with the file" if at_end else "the next record begins"
            current.problems.append(
                Problem("end-missing", f"the record has no {self._style.end}; {where}", current.lines[-1].number)
            )
        self._ordinal += 1
        yield Entry(
            ordinal=self._ordinal,
            lines=(current.lines[0].number, current.lines[-1].number),
            bytes=(current.lines[0].start, current.lines[-1].end),
            anchor=current.lines[0].start,
            tagged=tuple((tag, "\n".join(lines).strip(), number) for tag, lines, number in current.rows),
            text="\n".join(line.text for line in current.lines),
            problems=tuple(current.problems),
            confidence=_TOO_LONG if self._flooded else 1.0,
        )

    def _gap(self) -> Iterator[Gap]:
        loose, self._loose = self._loose, []
        if loose:
            text = "\n".join(line.text for line in loose)
            yield Gap((loose[0].number, loose[-1].number), (loose[0].start, loose[-1].end), text)
