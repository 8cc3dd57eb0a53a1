"""The physical lines of a file, whatever its encoding and its line ends; their byte ranges joined are the file."""

from __future__ import annotations

import codecs
import errno
import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sync.core.encodings import Detector, Guess, decode
from sync.core.record import SourceLine
from sync.errors import UsageFault

CHUNK = 1 << 20  # bytes read at once
LONGEST = 1 << 26  # bytes; a longer line comes in pieces

_MOST_STRAYS = 10_000
_ASCII_LIKE = ("utf-8", "ascii", "cp125", "latin", "iso8859", "mac-", "koi8", "gb", "shift", "big5", "euc")
_MARKS = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


class Lines:
    """The physical lines of a file; `guess` tells how it was decoded.

    strays: the last lines that were not in the file's encoding, each with the one it was read in.
    """

    def __init__(self, file: BinaryIO, found: Guess) -> None:
        self.guess = found
        self.strays: dict[str, str] = {}
        self._file = file

    def __iter__(self) -> Iterator[SourceLine]:
        self._file.seek(self.guess.bom)
        number, start = 1, 0
        place = self.guess.bom  # the mark is part of the first line
        for piece in _pieces(self._file, _SHAPES.get(self.guess.encoding, _BYTES)):
            place += len(piece.data)
            yield SourceLine(number, start, place, self.decode(piece.text))
            number, start = number + piece.ended, place
        if start < place:  # nothing but a mark
            yield SourceLine(number, start, place, "")

    def head(self, letters: int) -> str:
        """The first letters of the text, line ends as newlines; less than that where letters take more than one byte."""
        self._file.seek(self.guess.bom)
        data = _read(self._file, letters // 2 * 2)
        text = decode(data, self.guess)[0][:letters]
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the whole file, a byte order mark included."""
        self._file.seek(0)
        while chunk := _read(self._file, CHUNK):
            yield chunk

    def decode(self, data: bytes) -> str:
        """Bytes of whole lines as text; those that are not in the file's encoding in that which they read best in."""
        text, name = decode(data, self.guess)
        if name != self.guess.encoding:
            self._note_strays(data)
        return text

    def _note_strays(self, data: bytes) -> None:
        if len(self.strays) > _MOST_STRAYS:
            self.strays.clear()
        for line in data.splitlines():
            text, name = decode(line, self.guess)
            if name != self.guess.encoding:
                self.strays[text] = name

    @property
    def ascii_like(self) -> bool:
        """Whether ASCII stands for itself in this encoding, and a line end is nothing else."""
        return self.guess.encoding.replace("_", "-").startswith(_ASCII_LIKE)


@contextmanager
def open_lines(path: Path, encoding: str = "auto") -> Iterator[Lines]:
    """The lines of a file with their byte ranges: split at CRLF, LF and CR alone, whatever the encoding. Joined, the ranges are
    the file. Memory does not grow with the file, nor with a line: one longer than LONGEST comes in several pieces of the same
    number. Raises UsageFault for a file that cannot be read, be it half-way, and an encoding that nobody knows.
    """
    try:
        file = opened(path)
    except OSError as fault:
        raise UsageFault(f"{path}: cannot be read ({fault.strerror}); mend its rights, then try again") from fault
    with file:
        yield _lines(file, encoding)


def opened(path: Path) -> BinaryIO:
    """A file, open to be read. What lies in an inbox may be exchanged at any moment: a link is not followed, a pipe not waited for.

    Raises OSError, also for what is no file.
    """
    return open(path, "rb", opener=_opener)


def _opener(path: str, flags: int) -> int:
    for name in ("O_NOFOLLOW", "O_NONBLOCK"):  # not every system has them
        flags |= getattr(os, name, 0)
    try:
        handle = os.open(path, flags)
    except OSError as fault:
        raise OSError(errno.ELOOP, "it is a link", path) if fault.errno == errno.ELOOP else fault from None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise OSError(errno.EINVAL, "this is no file", path)


def lines_of(data: bytes, encoding: str = "auto") -> Lines:
    """The same of bytes in memory."""
    return _lines(io.BytesIO(data), encoding)


def _lines(file: BinaryIO, encoding: str) -> Lines:
    found = _guess(file) if encoding == "auto" else _named(_read(file, 4), encoding)
    if encoding != "auto" and found.encoding == "utf-8":
        file.seek(0)
        guessed = _guess(file)
        found = replace(found, other=guessed.other or (guessed.encoding if guessed.encoding != "utf-8" else ""))
    file.seek(found.bom)
    return Lines(file, found)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How lines end in an encoding. unit: bytes of a code unit.  cr, lf, blank: one such unit."""

    unit: int
    cr: bytes
    lf: bytes
    blank: bytes


_SHAPES = {"utf-16-le": _Shape(2, b"\r\0", b"\n\0", b" \0"), "utf-16-be": _Shape(2, b"\0\r", b"\0\n", b"\0 ")}
_BYTES = _Shape(1, b"\r", b"\n", b" ")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line with its end, or a part of one that is too long (not `ended`). text: without the end."""

    data: bytes
    text: bytes
    ended: bool = True


def _pieces(file: BinaryIO, shape: _Shape) -> Iterator[_Piece]:
    rest = b""
    while chunk := _read(file, CHUNK):
        data = _joined(rest, chunk, file, shape)
        lines, rest = _split(data, shape)
        yield from (_piece(line, shape) for line in lines)
        while len(rest) >= LONGEST:
            cut = _cut(rest, shape)
            yield _Piece(rest[:cut], rest[:cut], ended=False)
            rest = rest[cut:]
    lines, rest = _split(rest, shape, last=True)
    yield from (_piece(line, shape) for line in [*lines, rest] if line)


def _joined(rest: bytes, chunk: bytes, file: BinaryIO, shape: _Shape) -> bytes:
    """What was left and what came, and more until a line may end, so that one long line is not copied again and again."""
    parts, size = [rest, chunk], len(rest) + len(chunk)
    while chunk and size < LONGEST and shape.lf not in chunk and shape.cr not in chunk:
        chunk = _read(file, CHUNK)
        parts.append(chunk)
        size += len(chunk)
    return b"".join(parts)


def _split(data: bytes, shape: _Shape, *, last: bool = False) -> tuple[list[bytes], bytes]:
    """Whole lines with their ends, and what is left over: a line without end, a CR whose LF may still come, half a unit."""
    held = len(data) % shape.unit
    if not last and data.endswith(shape.cr, 0, len(data) - held):
        held += shape.unit
    body, tail = (data[:-held], data[-held:]) if held else (data, b"")
    # of bytes, splitlines splits at CRLF, LF and CR alone
    lines = body.splitlines(keepends=True) if shape.unit == 1 else list(_wide_lines(body, shape))
    left = b"" if not lines or lines[-1].endswith((shape.lf, shape.cr)) else lines.pop()
    return lines, left + tail


def _wide_lines(data: bytes, shape: _Shape) -> Iterator[bytes]:
    """The lines of whole units, as `splitlines` has them. What looks like an end between two units is part of two letters."""
    start = 0
    for found in re.finditer(b"(?=%b|%b)" % (re.escape(shape.cr), re.escape(shape.lf)), data):
        place = found.start()
        if place % shape.unit or place < start:
            continue
        crlf = data.startswith(shape.cr + shape.lf, place)
        end = place + shape.unit * (2 if crlf else 1)
        yield data[start:end]
        start = end
    if start < len(data):
        yield data[start:]


def _piece(line: bytes, shape: _Shape) -> _Piece:
    text = line
    for end in (shape.lf, shape.cr):
        if len(line) % shape.unit == 0 and text.endswith(end):
            text = text[: -shape.unit]
    return _Piece(line, text)


def _cut(data: bytes, shape: _Shape) -> int:
    """Where a line that is too long is cut: after the last blank of its second half, so that no letter is cut in two."""
    half = len(data) // 2 // shape.unit * shape.unit
    place = data.rfind(shape.blank, half)
    while place % shape.unit and place > half:  # between two units
        place = data.rfind(shape.blank, half, place + shape.unit - 1)
    return place + shape.unit if place >= half else half


def _read(file: BinaryIO, size: int) -> bytes:
    """The next bytes. Raises UsageFault where disk or network break off in the middle of a file."""
    try:
        return file.read(size)
    except OSError as fault:
        name = getattr(file, "name", "the drop")
        raise UsageFault(
            f"{name}: cannot be read to its end ({fault.strerror}); look after its disk, then sync again"
        ) from fault


def _guess(file: BinaryIO) -> Guess:
    """The encoding of a whole file, read through once."""
    detector = Detector()
    while chunk := _read(file, CHUNK):
        detector.feed(chunk)
    return detector.result()


def _named(head: bytes, encoding: str) -> Guess:
    """The encoding that somebody named, under Python's name for it, and the mark that the file begins with."""
    try:
        name = codecs.lookup(encoding).name
        name = {"utf-8-sig": "utf-8", "utf-16": _wide(head)}.get(name, name)
        b"\xff".decode(name, "replace")
        ends = "\n".encode(name) == _SHAPES.get(name, _BYTES).lf
    except (LookupError, ValueError):
        name, ends = encoding, False
    if not ends:
        raise UsageFault(
            f"{encoding!r} is no encoding that text is read in; auto finds it, or name one such as utf-8 or cp1252"
        )
    mark = _MARKS.get(name, b"")
    return Guess(name, len(mark) if mark and head.startswith(mark) else 0)


def _wide(head: bytes) -> str:
    return "utf-16-be" if head.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
