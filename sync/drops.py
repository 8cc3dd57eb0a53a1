"""Files that arrive: found, settled, hashed, decoded, put away. A file is never changed, and never lost."""

from __future__ import annotations

import codecs
import errno
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from sync.core.encodings import Detector, Guess
from sync.core.record import SourceLine
from sync.errors import UsageFault, ZotdropError

DONE, HELD = "done", "held"
REPORT = ".report.json"  # put after the name of a drop
MOST_NAME = 255  # bytes of a file's name
CHUNK = 1 << 20  # bytes read at once
LONGEST = 1 << 26  # bytes; a longer line comes in pieces

_MARKS = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}

# What browsers, synchronisers and editors leave while a file is still on its way, or beside it.
_TEMPORARY = re.compile(
    r"^(?:\.|~\$|~syncthing~|desktop\.ini$|thumbs\.db$)"
    r"|(?:\.part|\.partial|\.crdownload|\.download|\.opdownload|\.filepart|\.tmp|\.swp|\.report\.json|~)$",
    re.IGNORECASE,
)
_FOREIGN_FOLDERS = frozenset({"@eaDir", "#recycle", "lost+found"})


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells that a file was written to: size in bytes, time of the last change in nanoseconds, inode."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Drop:
    """One file that arrived. sha256: of its bytes, hex.  subfolder: its folder below the inbox, with `/`, empty at the top."""

    path: Path
    sha256: str
    size: int
    inbox: str
    subfolder: str = ""


def scan(root: Path) -> dict[Path, Stamp]:
    """The files in a folder and its subfolders that may be drops, by path, in order of name.

    `done/` and `held/`, hidden and temporary names, links, pipes and devices are left out. A subfolder that cannot be read is
    left out too; a root that cannot be read raises UsageFault.
    """
    found: dict[Path, Stamp] = {}
    folders = [root]
    while folders:
        folder = folders.pop()
        for entry in _entries(folder, is_root=folder == root):
            if _TEMPORARY.search(entry.name):
                continue
            with suppress(OSError):  # gone since, or not for us to look at
                if entry.is_file(follow_symlinks=False):
                    found[Path(entry.path)] = _stamp(entry.stat(follow_symlinks=False))
                elif entry.is_dir(follow_symlinks=False) and not _is_foreign(entry.name, at_root=folder == root):
                    folders.append(Path(entry.path))
    return dict(sorted(found.items()))


@dataclass(slots=True)
class Settle:
    """Which files have been still long enough to be taken: the same stamp over two looks and `seconds`."""

    seconds: float
    seen: dict[Path, tuple[Stamp, float]] = field(default_factory=dict)

    def feed(self, listing: Mapping[Path, Stamp], now: float) -> list[Path]:
        """The settled files of a look. now: monotonic seconds. A look forgets what it no longer sees."""
        before, self.seen = self.seen, {}
        ready = []
        for path, stamp in listing.items():
            known = before.get(path)
            since = known[1] if known and known[0] == stamp else now
            self.seen[path] = (stamp, since)
            if known and known[0] == stamp and now - since >= self.seconds:
                ready.append(path)
        return ready


def settled(
    root: Path, seconds: float, *, now: Callable[[], float], wait: Callable[[float], None], patience: float
) -> list[Path]:
    """The files in an inbox, once all of them have settled, or those that have when patience (seconds) ends."""
    settle, began = Settle(seconds), now()
    while True:
        listing = scan(root)
        ready = settle.feed(listing, now())
        if len(ready) == len(listing) or now() - began >= patience:
            return ready
        wait(min(1.0, max(0.05, seconds / 4)))


def take(path: Path, inbox: str, root: Path) -> Drop:
    """The drop that a file is: hashed, with its place in the inbox. Raises UsageFault for what is no file, or is closed to us."""
    digest, size = hashlib.sha256(), 0
    if path.exists() and not path.is_file():  # a pipe would be waited for, and could not be read twice
        raise UsageFault(f"{path}: this is no file; what comes through a pipe is read with: zotdrop sync -")
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as fault:
        raise UsageFault(f"{path}: cannot be read ({fault.strerror}); mend its rights, then sync again") from fault
    inside = path.parent.relative_to(root) if path.is_relative_to(root) else Path()
    return Drop(path, digest.hexdigest(), size, inbox, "" if inside == Path() else inside.as_posix())


def store(folder: Path, data: bytes) -> Path:
    """Keep bytes as a file named by their hash; written whole or not at all."""
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.ris"
    part = path.with_suffix(f".{os.getpid()}.part")
    _write(part, data)
    part.replace(path)
    return path


def archive(drop: Drop, root: Path, report: Mapping[str, Any]) -> Path:
    """Move a drop that is done to `done/`, its report beside it; where it went."""
    return _put_away(drop, root / DONE, report)


def hold(drop: Drop, root: Path, report: Mapping[str, Any]) -> Path:
    """Move a drop at which a person must look to `held/`, byte for byte, its report beside it; where it went."""
    return _put_away(drop, root / HELD, report)


def remove(drop: Drop) -> None:
    """Delete a drop that is done, if it is still the file that was read."""
    if not _unchanged(drop):
        return
    try:
        drop.path.unlink()
    except OSError as fault:
        raise ZotdropError(
            f"{drop.path}: worked off, but cannot be deleted ({fault.strerror}); mend the folder's rights."
            " The file stays; it will not be worked off twice"
        ) from fault


class Lines:
    """The physical lines of a file; `guess` tells how it was decoded."""

    def __init__(self, file: BinaryIO, found: Guess) -> None:
        self.guess = found
        self._file = file

    def __iter__(self) -> Iterator[SourceLine]:
        number, start, whole = 1, 0, True
        place = self.guess.bom  # the mark is part of the first line
        for piece in _pieces(self._file, _shape(self.guess.encoding)):
            place += len(piece.data)
            yield SourceLine(number, start, place, piece.text.decode(self.guess.encoding, "replace"))
            number, start, whole = number + piece.ended, place, piece.ended
        if whole and start < place:  # nothing but a mark
            yield SourceLine(number, start, place, "")


@contextmanager
def open_lines(path: Path, encoding: str = "auto") -> Iterator[Lines]:
    """The lines of a file with their byte ranges: split at CRLF, LF and CR alone, whatever the encoding. Joined, the ranges are
    the file. Memory does not grow with the file, nor with a line: one longer than LONGEST comes in several pieces of the same
    number. Raises UsageFault for a file that cannot be read and an encoding that nobody knows.
    """
    try:
        file = path.open("rb")
    except OSError as fault:
        raise UsageFault(f"{path}: cannot be read ({fault.strerror}); mend its rights, then try again") from fault
    with file:
        yield _lines(file, encoding)


def lines_of(data: bytes, encoding: str = "auto") -> Lines:
    """The same of bytes in memory."""
    return _lines(io.BytesIO(data), encoding)


def _lines(file: BinaryIO, encoding: str) -> Lines:
    found = _guess(file) if encoding == "auto" else _named(file.read(4), encoding)
    file.seek(found.bom)
    return Lines(file, found)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How line ends look in an encoding. unit: bytes of a code unit.  line: a line with its end.  blank: one blank."""

    unit: int
    line: re.Pattern[bytes] | None
    cr: bytes
    lf: bytes
    blank: bytes


# A unit whose other byte is not NUL is no line end: U+0A0D is a letter.
_SHAPES = {
    "utf-16-le": _Shape(
        2, re.compile(rb"(?:[^\r\n].|[\r\n][^\0])*(?:\r\0\n\0|\n\0|\r\0)", re.DOTALL), b"\r\0", b"\n\0", b" \0"
    ),
    "utf-16-be": _Shape(
        2, re.compile(rb"(?:[^\0].|\0[^\r\n])*(?:\0\r\0\n|\0\n|\0\r)", re.DOTALL), b"\0\r", b"\0\n", b"\0 "
    ),
}
_BYTES = _Shape(1, None, b"\r", b"\n", b" ")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line with its end, or a part of one that is too long (not `ended`). text: without the end."""

    data: bytes
    text: bytes
    ended: bool = True


def _shape(encoding: str) -> _Shape:
    return _SHAPES.get(encoding, _BYTES)


def _pieces(file: BinaryIO, shape: _Shape) -> Iterator[_Piece]:
    rest = b""
    while chunk := file.read(CHUNK):
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
        chunk = file.read(CHUNK)
        parts.append(chunk)
        size += len(chunk)
    return b"".join(parts)


def _split(data: bytes, shape: _Shape, *, last: bool = False) -> tuple[list[bytes], bytes]:
    """Whole lines with their ends, and what is left over: a line without end, a CR whose LF may still come, half a unit."""
    held = 0 if last else len(data) % shape.unit
    if not last and data.endswith(shape.cr, 0, len(data) - held):
        held += shape.unit
    body, tail = (data[:-held], data[-held:]) if held else (data, b"")
    if shape.line is None:
        lines = body.splitlines(keepends=True)  # of bytes: at CRLF, LF and CR alone
        left = b"" if not lines or lines[-1].endswith((b"\n", b"\r")) else lines.pop()
    else:
        lines = shape.line.findall(body)
        left = body[sum(map(len, lines)) :]
    return lines, left + tail


def _piece(line: bytes, shape: _Shape) -> _Piece:
    text = line
    for end in (shape.lf, shape.cr):
        if len(line) % shape.unit == 0 and text.endswith(end):
            text = text[: -shape.unit]
    return _Piece(line, text)


def _cut(data: bytes, shape: _Shape) -> int:
    """Where a line that is too long is cut: after its last blank, so that no letter is cut in two."""
    place = data.rfind(shape.blank, len(data) // 2)
    while place % shape.unit and place > 0:  # between two units
        place = data.rfind(shape.blank, len(data) // 2, place + shape.unit - 1)
    return place + shape.unit if place > 0 else len(data) // 2 // shape.unit * shape.unit


def _guess(file: BinaryIO) -> Guess:
    """The encoding of a whole file, read through once."""
    detector = Detector()
    while chunk := file.read(CHUNK):
        detector.feed(chunk)
    return detector.result()


def _named(head: bytes, encoding: str) -> Guess:
    """The encoding that somebody named, under Python's name for it, and the mark that the file begins with."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(encoding)  # codecs that are no encodings of text are refused here
    except (LookupError, ValueError):
        raise UsageFault(
            f"there is no encoding {encoding!r}; auto finds it, or name one such as utf-8 or cp1252"
        ) from None
    name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-be" if head.startswith(b"\xfe\xff") else "utf-16-le"}.get(
        name, name
    )
    mark = _MARKS.get(name, b"")
    return Guess(name, len(mark) if mark and head.startswith(mark) else 0)


def _is_foreign(name: str, *, at_root: bool) -> bool:
    """Whether drops are not looked for in a folder of this name."""
    return name in _FOREIGN_FOLDERS or (at_root and name in {DONE, HELD})


def _entries(folder: Path, *, is_root: bool) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as fault:
        if is_root:
            raise UsageFault(f"{folder}: cannot be read ({fault.strerror})") from fault
        return []


def _stamp(facts: os.stat_result) -> Stamp:
    return Stamp(facts.st_size, facts.st_mtime_ns, facts.st_ino)


def _unchanged(drop: Drop) -> bool:
    """Whether the file is still the one that was read; if it was replaced since, the new one is a drop of its own."""
    try:
        return take(drop.path, drop.inbox, drop.path.parent).sha256 == drop.sha256
    except UsageFault:
        return False


def _put_away(drop: Drop, folder: Path, report: Mapping[str, Any]) -> Path:
    if not _unchanged(drop):
        return drop.path
    told = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    try:
        goal = _free(folder / drop.subfolder, drop)
        goal.parent.mkdir(parents=True, exist_ok=True)
        beside = goal.with_name(goal.name + REPORT)
        try:
            _write(beside, told.encode("utf-8", "backslashreplace"))  # a file's name may be no text
            _move(drop.path, goal, drop.sha256)
        except OSError:
            with suppress(OSError):
                beside.unlink()
            raise
    except OSError as fault:
        raise ZotdropError(
            f"{drop.path}: worked off, but cannot be moved to {folder} ({fault.strerror or fault}); mend the folder's rights."
            " The file stays; it will not be worked off twice"
        ) from fault
    return goal


def _free(folder: Path, drop: Drop) -> Path:
    """A name that neither a file nor a report has: its own, else with a part of the hash, else with a number too."""
    name, short = drop.path, drop.sha256[:8]
    tails = chain(("", f".{short}"), (f".{short}-{number}" for number in range(2, 10_000)))
    for tail in tails:
        end = tail + name.suffix
        goal = folder / (_cut_name(name.stem, MOST_NAME - len(os.fsencode(end + REPORT))) + end)
        if not os.path.lexists(goal) and not os.path.lexists(goal.with_name(goal.name + REPORT)):
            return goal
    raise FileExistsError(f"no free name for {name.name}")


def _cut_name(stem: str, most: int) -> str:
    """As much of a name as fits into so many bytes."""
    while len(os.fsencode(stem)) > most:
        stem = stem[:-1]
    return stem


def _move(source: Path, goal: Path, sha256: str) -> None:
    try:
        source.rename(goal)
    except OSError as fault:
        if fault.errno != errno.EXDEV:
            raise
        _carry(source, goal, sha256)


def _carry(source: Path, goal: Path, sha256: str) -> None:
    """Move to another file system: the whole copy is safe on disk before the original goes, and goes itself if that stays."""
    part = goal.with_name(f".zotdrop-{sha256[:16]}.part")
    try:
        shutil.copyfile(source, part)
        with part.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == sha256
            os.fsync(file.fileno())
        if not same:
            raise OSError("the file changed while it was copied")
        part.replace(goal)
        _keep_folder(goal.parent)
        try:
            source.unlink()
        except OSError:
            goal.unlink()
            raise
    finally:
        part.unlink(missing_ok=True)


def _keep_folder(folder: Path) -> None:
    """Have a folder's new names on disk; not every system can be asked for that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
