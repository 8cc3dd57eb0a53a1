"""The same reading as `ris.read`, from bytes: intact references are taken whole, everything else goes line by line.

Most exports are intact from the first TY to the last ER. Such a reference is found by its ER and split by one expression,
several times faster than line by line. What is not plainly intact (another shape of tags, text between, a value that may hold tags) is left to
`ris`, so that both ways give the same entries: a law that the tests hold.

The bytes may be in any encoding in which ASCII stands for itself and no other letter contains a line end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from sync.core.record import Entry, Gap, Rows, SourceLine
from sync.core.ris import Reader
from sync.core.ris_lines import Habit, like_a_tag, may_hold_an_end, tokens

LONGEST = 1 << 20  # bytes of a reference that is taken whole; also of a line, which is cut before a TY if it is longer
_USUAL = 20_000  # bytes; in a longer stretch up to the next ER a TY is looked for first, so that many without ER cost no more
LONGEST_LINE = 1 << 22  # bytes after which a line without any TY is cut all the same, at a blank

_SPLIT = re.compile(r"\n([A-Z][A-Z0-9])  -(?: +|(?=\n)|\Z)")
_BLANKS = re.compile(rb"[ \t\r\n]*")
_LINE_END = re.compile(rb"\r\n?|\n")
_NOWHERE = (0, 0, 0)
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
        self._read_on = False  # whether the reference here is intact shows only when more is read
        self._in_line = False  # the line is longer than what was read of it

    def parts(self) -> Iterator[Entry | Gap]:
        """All of the file."""
        reader = self._reader
        while len(self._data) <= self._skip and not self._last:
            self._more()
        self._at = min(self._skip, len(self._data))
        while self._at < len(self._data) or not self._last:
            found = self._whole() if reader.at_rest and not self._in_line else None
            while found:
                if reader.waits:
                    yield from reader.before_next()
                reader.ordinal = found.ordinal
                yield found
                found = self._whole()
            if self._read_on:
                self._more()
            else:
                yield from self._careful()
        yield from reader.finish()

    def _more(self) -> None:
        """Read on: as much again as is left, so that a long line is not copied again and again."""
        self._read_on = False
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

    def _whole(self) -> Entry | None:
        """The intact reference that begins here; None if it is not plainly intact, or where more must be read to tell."""
        data, at, end = self._data, self._at, self._end
        if not data.startswith(b"TY  - ", at):
            return None
        if end < at:
            end = self._end = data.find(b"\nER  -", max(at, self._no_end))
        stop, following, newlines = end + 7, end + 9, 2
        if end < 0 or end - at > _USUAL or not data.startswith(b" \n\nTY  - ", end + 6):
            stop, following, newlines = self._bounds(end)
            if not stop:
                return None
        raw, number, reader = data[at:stop], self._number, self._reader
        if b"\r" in raw:
            raw = raw.removesuffix(b"\r").replace(b"\r\n", b"\n")
            if b"\r" in raw:
                return None
        text = raw.decode("ascii") if raw.isascii() else self._decode(raw)
        rows = _plain_rows(text, number)
        if rows is None:
            return None
        start, last = self._base + at, rows.lines[-1]
        anchor = 0 if start == self._skip else start
        self._number, self._at, self._habit.strict = last + newlines, following, True
        span = (anchor, self._base + min(stop + 1, len(data)))
        ordinal = reader.ordinal + 1 + (reader.closed is not None)  # that one is given out before
        return Entry(ordinal, (number, last), span, anchor, rows, text)

    def _bounds(self, end: int) -> tuple[int, int, int]:
        """Where the line of the ER ends that begins here, where the next reference begins, and the line ends between; zeros if it does not."""
        data = self._data
        if end < 0:
            self._no_end = max(len(data) - 6, 0)
            return self._try_later()
        if end - self._at > _USUAL and data.find(b"\nTY", self._at, end) >= 0:
            return _NOWHERE
        stop = data.find(b"\n", end + 6)
        stop = len(data) if stop < 0 else stop
        following = _BLANKS.match(data, stop).end()  # type: ignore[union-attr] # matches the empty string, too
        if following == len(data):
            if not self._last:
                return self._try_later()
        elif not data.startswith(b"TY  - ", following) or data[following - 1] not in b"\r\n":
            return _NOWHERE
        return stop, following, len(_LINE_END.findall(data, stop, following))

    def _try_later(self) -> tuple[int, int, int]:
        self._read_on = not self._last and len(self._data) - self._at <= LONGEST
        return _NOWHERE

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


def _plain_rows(text: str, number: int) -> Rows | None:
    """The tagged values of an intact reference; None where a value may hold tags of its own, or a line is no plain one."""
    parts = _SPLIT.split("\n" + text)
    tags, values = parts[1::2], parts[2::2]
    word = "".join(tags)
    if not word.endswith("ER") or values[-1].strip() or ("TY" in word[2:] and tags.count("TY") != 1):
        return None
    lines: Sequence[int] = range(number, number + len(tags))
    unlike = " ".join([value for value in values if "-" in value or "\n" in value])
    if " -" in unlike and ("  - " in unlike or may_hold_an_end(unlike)):
        return None
    if "\n" in unlike:
        lines = _lines(values, number)
        if not lines:
            return None
    values = list(map(str.rstrip, values))
    return Rows(tags, values, lines) if values[0].isalnum() else None


def _lines(values: list[str], line: int) -> list[int]:
    """The line of every value, where some have several lines; none if one of those may be a tag in another shape."""
    found = []
    for value in values:
        found.append(line)
        line += 1
        if "\n" in value:
            _, *more = value.split("\n")
            if "TY" in value or any(map(like_a_tag, more)):
                return []
            line += len(more)
    return found
