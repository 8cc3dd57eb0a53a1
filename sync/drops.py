"""Files that arrive: found, settled, hashed, decoded, put away. A file is never changed, and never lost."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from sync.core.encodings import Detector, Guess
from sync.core.record import SourceLine
from sync.errors import UsageFault, ZotdropError

DONE, HELD = "done", "held"
CHUNK = 1 << 20  # bytes read at once

# What browsers, synchronisers and editors leave while a file is still on its way, or beside it.
_TEMPORARY = re.compile(
    r"^(?:\.|~\$|~syncthing~|desktop\.ini$|thumbs\.db$)|(?:\.part|\.crdownload|\.filepart|\.tmp|\.report\.json|~)$",
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
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _FOREIGN_FOLDERS and not (folder == root and entry.name in {DONE, HELD}):
                    folders.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    found[Path(entry.path)] = _stamp(entry.stat(follow_symlinks=False))
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
    """The drop that a file is: hashed, with its place in the inbox."""
    digest, size = hashlib.sha256(), 0
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
    part = path.with_suffix(".part")
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
    if _unchanged(drop):
        drop.path.unlink()


class Lines:
    """The physical lines of a file; `guess` tells how it was decoded."""

    def __init__(self, file: BinaryIO, found: Guess) -> None:
        self.guess = found
        self._file = file

    def __iter__(self) -> Iterator[SourceLine]:
        wide = self.guess.encoding.startswith("utf-16")
        return _wide_lines(self._file, self.guess) if wide else _lines(self._file, self.guess)


@contextmanager
def open_lines(path: Path, encoding: str = "auto") -> Iterator[Lines]:
    """The lines of a file with their byte ranges: split at CRLF, LF and CR alone, whatever the encoding. Joined, the ranges are
    the file. Memory does not grow with the file.
    """
    with path.open("rb") as file:
        found = _guess(file) if encoding == "auto" else Guess(encoding, _bom(file.read(4), encoding))
        file.seek(found.bom)
        yield Lines(file, found)


def lines_of(data: bytes, encoding: str = "auto") -> Lines:
    """The same of bytes in memory."""
    file = io.BytesIO(data)
    found = _guess(file) if encoding == "auto" else Guess(encoding, _bom(data[:4], encoding))
    file.seek(found.bom)
    return Lines(file, found)


def _lines(file: BinaryIO, found: Guess) -> Iterator[SourceLine]:
    """Lines of an encoding in which CR and LF are bytes of their own."""
    number, start, rest = 0, found.bom, b""
    while True:
        chunk = file.read(CHUNK)
        data = _join(rest, chunk, file) if chunk else rest
        pieces = _split(data, last=not chunk)
        rest = pieces.pop()
        for piece in pieces:
            number, end = number + 1, start + len(piece)
            yield SourceLine(
                number, 0 if number == 1 else start, end, _text(piece, found.encoding)
            )  # a mark is part of it
            start = end
        if not chunk:
            return


def _join(rest: bytes, chunk: bytes, file: BinaryIO) -> bytes:
    """What was left and what came, and more until a line ends, so that one endless line is not copied again and again."""
    parts = [rest, chunk]
    while chunk and b"\n" not in chunk and b"\r" not in chunk:
        chunk = file.read(CHUNK)
        parts.append(chunk)
    return b"".join(parts)


def _split(data: bytes, *, last: bool) -> list[bytes]:
    """Whole lines with their ends, and what is left over (nothing at the end of the file)."""
    held = b""
    if not last and data.endswith(b"\r"):  # its LF may come with the next chunk
        data, held = data[:-1], b"\r"
    pieces = data.splitlines(keepends=True)  # of bytes: at CRLF, LF and CR alone
    if last:
        return [*pieces, b""]
    left = b"" if not pieces or pieces[-1].endswith((b"\n", b"\r")) else pieces.pop()
    return [*pieces, left + held]


def _wide_lines(file: BinaryIO, found: Guess) -> Iterator[SourceLine]:
    """Lines of UTF-16: decoded as a whole, two bytes a unit."""
    text = file.read().decode(found.encoding, "replace")
    start = found.bom
    for number, match in enumerate(re.finditer(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text), start=1):
        end = start + len(match.group().encode(found.encoding, "surrogatepass"))
        yield SourceLine(number, 0 if number == 1 else start, end, match.group().rstrip("\r\n"))
        start = end


def _text(piece: bytes, encoding: str) -> str:
    return piece.rstrip(b"\r\n").decode(encoding, "replace")


def _guess(file: BinaryIO) -> Guess:
    """The encoding of a whole file, read through once."""
    detector = Detector()
    while chunk := file.read(CHUNK):
        detector.feed(chunk)
    return detector.result()


def _bom(head: bytes, encoding: str) -> int:
    marks = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    mark = marks.get(encoding.lower().replace("_", "-"), b"\0\0\0\0\0")
    return len(mark) if head.startswith(mark) else 0


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
    goal = folder / drop.subfolder / drop.path.name
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        if goal.exists():
            goal = _free(goal, drop.sha256)
        _write(
            goal.with_name(goal.name + ".report.json"),
            (json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode(),
        )
        _move(drop.path, goal)
    except OSError as fault:
        raise ZotdropError(
            f"{drop.path}: worked off, but cannot be moved to {goal.parent} ({fault.strerror}); mend the folder's rights."
            " The file stays; it will not be worked off twice"
        ) from fault
    return goal


def _free(goal: Path, sha256: str) -> Path:
    """A name beside one that is taken: with a part of the hash, then with a number."""
    for number in range(1, 10_000):
        tail = sha256[:8] if number == 1 else f"{sha256[:8]}-{number}"
        other = goal.with_name(f"{goal.stem}.{tail}{goal.suffix}")
        if not other.exists():
            return other
    raise FileExistsError(f"{goal}: no free name beside it")


def _move(source: Path, goal: Path) -> None:
    try:
        source.rename(goal)
    except OSError:  # another file system: the copy is safe on disk before the original goes
        part = goal.with_name(f".{goal.name}.part")
        shutil.copyfile(source, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(goal)
        source.unlink()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
