"""Lines of a drop as one text that knows where in the file each character stood."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from sync.core.record import Gap, SourceLine


class Sheet:
    """Lines of a drop as one text (joined by newlines) that knows where in the file each character stood.

    Places asked for in rising order cost only what lies between them.
    """

    def __init__(self, lines: Sequence[SourceLine]) -> None:
        self.text = "\n".join(line.text for line in lines)
        self._lines = lines
        self._starts = list(accumulate((len(line.text) + 1 for line in lines), initial=0))[:-1]
        self._codec, self._mark = _codec(lines)
        self._at = (0, 0, self._mark)  # line, letters and bytes of the last place

    def place(self, at: int) -> tuple[int, int]:
        """The line (1-based number) and the byte of the character at this index of the text."""
        index = bisect_right(self._starts, at) - 1
        line, column = self._lines[index], at - self._starts[index]
        if self._at[0] != index or self._at[1] > column:
            self._at = (index, 0, 0 if index else self._mark)
        _, letters, done = self._at
        done += len(line.text[letters:column].encode(self._codec, "replace"))
        self._at = (index, column, done)
        return line.number, min(line.start + done, line.end)

    def gap(self, start: int, end: int) -> Gap:
        """A part of the text, `end` exclusive, that belongs to no entry."""
        return Gap(*self.span(start, end), self.text[start:end])

    def span(self, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last line, first byte and the byte after the last, of a part of the text that is not empty."""
        first, begin = self.place(start)
        last, _ = self.place(end - 1)
        return (first, last), (begin, self.place(end)[1])


# Encodings that lines are measured against: bytes that a line end may take, bytes of a mark that the file may begin with.
_CODECS = (("utf-8", (0, 1, 2), (0, 3)), ("utf-16-le", (0, 2, 4), (2, 0)), ("latin-1", (0, 1, 2), (0,)))


def _codec(lines: Sequence[SourceLine]) -> tuple[str, int]:
    """How lines were encoded, as far as their lengths in bytes tell it, and the bytes of a mark before the first.

    All line ends but the last are of one kind. What fits no encoding is measured as one byte a letter.
    """
    for codec, ends, marks in _CODECS:
        over = [line.end - line.start - len(line.text.encode(codec, "replace")) for line in lines]
        for mark in marks if lines[:1] and lines[0].number == 1 else (0,):
            rest = [over[0] - mark, *over[1:]] if over else []
            if all(size in ends for size in rest) and len(set(rest[:-1])) <= 1:
                return codec, mark
    return "latin-1", 0
