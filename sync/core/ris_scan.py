"""The same reading as `ris.read`, from bytes: intact references are taken whole, everything else goes line by line.

Most exports are intact from the first TY to the last ER. Such a reference is found by its ER and split by one expression,
several times faster than line by line. What is not plainly intact (another shape of tags, text between, a value that may hold tags) is left to
`ris`, so that both ways give the same entries: a law that the tests hold.

The bytes may be in any encoding in which ASCII stands for itself and no other letter contains a line end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from sync.core.record import Entry, Gap, SourceLine, Tagged
from sync.core.ris import Reader
from sync.core.ris_lines import Habit, may_hold_an_end, may_hold_tags, tokens

LONGEST = 1 << 20  # bytes of a reference that is taken whole; also of a line, which is cut before a TY if it is longer
_USUAL = 20_000  # bytes; in a longer stretch up to the next ER a TY is looked for first, so that many without ER cost no more
LONGEST_LINE = 1 << 22  # bytes after which a line without any TY is cut all the same, at a blank

_SPLIT = re.compile(r"\n([A-Z][A-Z0-9])  -(?: +|(?=\n)|\Z)")
_BLANKS = re.compile(rb"[ \t\r\n]*")
_LINE_END = re.compile(rb"\r\n?|\n")
_NEWLINES = (b"\n", b"\n\n")  # what mostly stands between two references
_TYPE = re.compile(rb"[ \t](?=TY[ \t]{0,2}-[ \t]+[A-Z]{2,8}[ \t])")


def scan(chunks: Iterable[bytes], decode: Callable[[bytes], str], skip: int = 0) -> Iterator[Entry | Gap]:
    """Entries and gaps in the order of the file, as `ris.read` gives them.

    chunks: the file's bytes in pieces of any size.  decode: bytes of whole lines to text.  skip: length of a byte order mark.
    """
    return _Scan(chunks, decode, skip).parts()


class _Scan:
    """Where we are in the file. data: what is in memory of it.  base: offset of its first byte.  at: place in it.  number: line there."""

    def __init__(self, chunks: Iterable[bytes], decode: Callable[[bytes], str], skip: int) -> None:
        self._chunks = iter(chunks)
        self._decode = decode
        self._skip = skip
        self._reader, self._habit = Reader(), Habit()
        self._data, self._base, self._at, self._number = b"", 0, 0, 1
        self._end = -1  # where the next ER stands; -1: not known
        self._no_end = -1  # no ER begins before here
        self._last = False
        self._in_line = False  # the line is longer than what was read of it

    def parts(self) -> Iterator[Entry | Gap]:
        """All of the file."""
        self._more()
        self._at = min(self._skip, len(self._data))
        while self._at < len(self._data) or not self._last:
            found = self._whole() if self._reader.at_rest and not self._in_line else None
            if found is None:
                yield from self._careful()
            elif isinstance(found, Entry):
                yield from self._reader.before_next()
                self._reader.ordinal = found.ordinal
                yield found
        yield from self._reader.finish()

    def _more(self) -> None:
        """Read on: as much again as is left, so that a long line is not copied again and again."""
        rest = self._data[self._at :]
        parts, size = [rest], 0
        while not self._last and size < max(len(rest), 1):
            chunk = next(self._chunks, None)
            self._last = chunk is None
            parts.append(chunk or b"")
            size += len(chunk or b"")
        moved = self._at
        self._base += moved
        self._data, self._at = b"".join(parts), 0
        self._end = self._end - moved if self._end >= moved else -1
        self._no_end = max(self._no_end - moved, -1)

    def _whole(self) -> Entry | bool | None:
        """The intact reference that begins here. True: more was read, try again. None: it is not plainly intact."""
        data, at = self._data, self._at
        if not data.startswith(b"TY  - ", at):
            return None
        end = self._end
        if end < at:
            end = self._end = data.find(b"\nER  -", max(at, self._no_end))
        if end < 0:
            self._no_end = max(len(data) - 6, 0)
            return self._try_later()
        if end - at > _USUAL and data.find(b"\nTY", at, end) >= 0:
            return None
        stop = data.find(b"\n", end + 6)
        stop = len(data) if stop < 0 else stop
        following = _BLANKS.match(data, stop).end()  # type: ignore[union-attr] # matches the empty string, too
        if following == len(data):
            if not self._last:
                return self._try_later()
        elif not data.startswith(b"TY  - ", following) or data[following - 1] not in b"\r\n":
            return None
        return self._entry(data[at:stop], stop, following)

    def _try_later(self) -> bool | None:
        if self._last or len(self._data) - self._at > LONGEST:
            return None
        self._more()
        return True

    def _entry(self, raw: bytes, stop: int, following: int) -> Entry | None:
        """The entry of these bytes, from TY to the end of the line of ER; None if one of its lines is not plain."""
        if b"\r" in raw:
            raw = raw.removesuffix(b"\r").replace(b"\r\n", b"\n")
            if b"\r" in raw:
                return None
        text = self._decode(raw)
        tagged = _plain_tags(text, self._number)
        if tagged is None:
            return None
        start = self._base + self._at
        start = 0 if start == self._skip else start
        lines = (self._number, self._number + text.count("\n"))
        ordinal = self._reader.ordinal + 1 + (self._reader.closed is not None)  # that one is given out before
        self._habit.strict = True
        end = min(stop + 1, len(self._data))
        blank = self._data[stop:following]
        self._number = lines[1] + (len(blank) if blank in _NEWLINES else len(_LINE_END.findall(blank)))
        entry = Entry(ordinal, lines, (start, self._base + end), start, tagged, text)
        self._at = following
        return entry

    def _careful(self) -> Iterator[Entry | Gap]:
        """One line, or a part of one that is too long, by the grammar."""
        data, at = self._data, self._at
        begin, end = self._line_end()
        if end == len(data) and not self._last and end - at <= LONGEST_LINE:
            self._more()
            return
        if begin - at > LONGEST:
            cut = self._cut(at, begin)
            begin, end = (cut, cut) if cut < begin else (begin, end)
        start = self._base + at
        start = 0 if start == self._skip else start
        line = SourceLine(self._number, start, self._base + end, self._decode(data[at:begin]))
        self._at = end
        self._in_line = begin == end and not (end == len(data) and self._last)
        self._number += not self._in_line
        for token in tokens(line, self._habit, inside=self._reader.inside):
            yield from self._reader.take(token)

    def _line_end(self) -> tuple[int, int]:
        """Where the text of the line here ends, and where the next line begins; the end of what is read, if that is not known."""
        data = self._data
        newline = data.find(b"\n", self._at)
        size = len(data) if newline < 0 else newline
        back = data.find(b"\r", self._at, size)
        if back >= 0:
            return back, back + 1 + data.startswith(b"\n", back + 1)
        return size, size + (newline >= 0)

    def _cut(self, at: int, end: int) -> int:
        """Where a line that is too long is cut: before its last TY within reach, else at a blank, else anywhere."""
        reach = min(end, at + LONGEST)
        while reach <= min(end, at + LONGEST_LINE):
            last = max((found.end() for found in _TYPE.finditer(self._data, at + 1, reach)), default=-1)
            if last > 0 or reach == end:
                return last if last > 0 else end
            reach = min(end, at + 2 * (reach - at)) if reach < end else end + 1
        blank = self._data.rfind(b" ", at + 1, at + LONGEST_LINE)
        return blank + 1 if blank > 0 else min(end, at + LONGEST_LINE)


def _plain_tags(text: str, number: int) -> tuple[Tagged, ...] | None:
    """The tagged values of an intact reference; None where a value may hold tags of its own, or a line is no plain one."""
    parts = _SPLIT.split(text)
    tags, values = parts[1::2], parts[2::2]
    head = parts[0][6:].lstrip(" ").rstrip()
    if tags.count("ER") != 1 or "TY" in tags or values[-1].strip() or not head.isalnum():
        return None
    written = text.count("  - ") + text.endswith("  -")
    if (written != len(tags) + 1 or "" in values[:-1]) and any("  - " in value for value in values):
        return None
    if may_hold_an_end(text):
        return None
    numbers: Iterable[int] = range(number + 1, number + 1 + len(tags))
    if text.count("\n") != len(tags):
        numbers = _numbers(parts[0], values, number)
        if not numbers:
            return None
    values = [value.rstrip() for value in values]
    return (("TY", head, number), *zip(tags, values, numbers))  # noqa: B905 - the last number is one too many


def _numbers(head: str, values: list[str], number: int) -> list[int]:
    """The line of every value, where some have several lines; none if one of those may be a tag in another shape."""
    numbers = list(range(number + 1, number + 1 + len(values)))
    for place, value in enumerate((head, *values)):
        more = value.count("\n") if "\n" in value else 0
        if more and may_hold_tags(value):
            return []
        if more:
            numbers[place:] = (
                range(numbers[place] + more, numbers[place] + more + len(numbers) - place)
                if place < len(numbers)
                else ()
            )
    return numbers
