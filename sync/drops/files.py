"""Files that came with a drop: found beside it, within its bounds, hashed, and opened only if they are still the same."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sync.core.record import Problem

MEGABYTE = 1_000_000
MILLISECOND = 1_000_000  # nanoseconds
CHUNK = 1 << 20  # bytes read at once
UNKNOWN_TYPE = "application/octet-stream"

# What comes beside an export and is none: by name, or by the first bytes.
_COMPANIONS = re.compile(
    r"\.(?:pdf|ps|epub|djvu|mobi|docx?|od[tsp]|rtf|xlsx?|pptx?|png|jpe?g|gif|tiff?|svg|webp|bmp|html?|mhtml?|zip|gz|7z|tar"
    r"|mp[34]|m4a|wav|avi|mov)$",
    re.IGNORECASE,
)
_BEGINNINGS = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"AT&TFORM",
    b"\x1f\x8b",
)
# What a folder of references may hold beside exports, and what is none of them either: databases, programs, configs.
_NO_EXPORTS = re.compile(
    r"\.(?:sqlite3?|db3?|mdb|accdb|enl|enlx|ldb|(?:sqlite3?|db)-(?:wal|shm|journal)|lock|toml|ya?ml|ini|conf|log|py|sh|exe|dll|so"
    r"|iso|rar|xz|bz2|zst|avif|heic|mkv|ogg|flac|pages|numbers|key)$",
    re.IGNORECASE,
)
_NO_EXPORT_BEGINNINGS = (
    b"SQLite format 3\0",
    b"\x00\x01\x00\x00Standard",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x7fELF",
    b"BZh",
    b"\xfd7zXZ",
)
_ARCHIVES = re.compile(r"\.(?:zip|gz|7z|tar|rar|xz|bz2|zst|iso)$", re.IGNORECASE)
_NEXT = "the item was made without it; attach it in Zotero"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be uploaded.

    path: absolute, without links.  place: where it lies seen from the drop's folder, with `/`.  name: as the library shall call
    it.  md5: of its bytes, hex.  size: bytes.  mtime: of the last change, milliseconds since 1970.
    """

    path: Path
    place: str
    name: str
    content_type: str
    md5: str
    size: int
    mtime: int


class Changed(Exception):
    """A file is not what it was when it was found; `problem` says how."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def accompanies(path: Path) -> bool:
    """Whether a file is of a kind that comes beside an export and never is one: a PDF, a picture, a saved page."""
    return bool(_COMPANIONS.search(path.name)) or _begins(path, _BEGINNINGS)


def is_no_export(path: Path) -> bool:
    """Whether a file is certainly no export of references: what accompanies one, a database, an archive, a program, a config."""
    return accompanies(path) or bool(_NO_EXPORTS.search(path.name)) or _begins(path, _NO_EXPORT_BEGINNINGS)


def why_no_export(path: Path) -> str:
    """Why a file is certainly no export of references, and what to do if it is one; empty where it may be one."""
    if not is_no_export(path):
        return ""
    if _ARCHIVES.search(path.name):
        return "named like an archive; unpack or rename it"
    if _COMPANIONS.search(path.name) or _NO_EXPORTS.search(path.name):
        return f"{path.suffix} is the end of no export's name; rename it if it is one"
    return "begins like a document, an archive or a database; if references are in it, export or unpack them"


def _begins(path: Path, beginnings: tuple[bytes, ...]) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(max(map(len, beginnings))).startswith(beginnings)
    except OSError:
        return False


def only_drops(ready: Sequence[Path], listing: Collection[Path]) -> list[Path]:
    """The settled files that are drops; none as long as a file that accompanies them is still on its way."""
    still = set(ready)
    if any(path not in still and accompanies(path) for path in listing):
        return []
    return [path for path in ready if not accompanies(path)]


def find(named: str, paths: Sequence[str], folder: Path, root: Path, most_mb: float) -> Found | Problem:
    """The first of these places at which there is a file that may be uploaded; else what is wrong with the likeliest.

    named: as the record names it.  paths: seen from `folder`.  root: nothing outside it is taken, whatever links lead there.
    """
    problem: Problem | None = None
    for path in paths:
        found = _looked_at(named, folder / path, folder, root, most_mb)
        if isinstance(found, Found):
            return found
        problem = problem or found
    return problem or Problem("file-missing", f"{named}: no such file beside the drop; {_NEXT}")


@contextmanager
def opened(path: Path, *, md5: str, size: int, mtime: int) -> Iterator[BinaryIO]:
    """A file that was found before, open at its beginning. Raises Changed where other bytes lie there, or none."""
    try:
        if path.resolve(strict=True) != path:
            raise Changed(Problem("file-changed", f"{path}: a link stands in its place now; {_NEXT}"))
        file = _open(path)
    except OSError as fault:
        raise Changed(Problem("file-missing", f"{path}: {fault.strerror} since it was found; {_NEXT}")) from None
    with file:
        if not _same(file, md5, size, mtime):
            raise Changed(Problem("file-changed", f"{path}: other bytes lie there than when it was found; {_NEXT}"))
        file.seek(0)
        yield file


def _same(file: BinaryIO, md5: str, size: int, mtime: int) -> bool:
    facts = os.fstat(file.fileno())
    if not stat.S_ISREG(facts.st_mode) or facts.st_size != size:
        return False
    return _changed_at(facts) == mtime or _hashed(file) == md5


def _looked_at(named: str, path: Path, folder: Path, root: Path, most_mb: float) -> Found | Problem | None:
    """What lies at a place; None for nothing."""
    try:
        whole, bounds = path.resolve(strict=True), root.resolve()
    except (OSError, RuntimeError, ValueError):  # nothing there, links in a circle, no name for a file
        return None
    if not whole.is_relative_to(bounds):
        return Problem("file-outside", f"{named}: lies outside {bounds}, and only what is inside is taken; {_NEXT}")
    if any(part.startswith(".") for part in whole.relative_to(bounds).parts):
        return Problem("file-hidden", f"{named}: hidden files are not taken; {_NEXT}")
    try:
        return _measured(named, whole, folder, most_mb)
    except OSError as fault:
        return Problem("file-unreadable", f"{named}: cannot be read ({fault.strerror}); {_NEXT}")


def _measured(named: str, path: Path, folder: Path, most_mb: float) -> Found | Problem:
    if not path.is_file():  # a pipe would be waited for
        return Problem("file-odd", f"{named}: this is no file; {_NEXT}")
    with _open(path) as file:
        facts = os.fstat(file.fileno())
        if facts.st_size > most_mb * MEGABYTE:
            size = f"{facts.st_size / MEGABYTE:.1f} MB are more than attachment_max_mb = {most_mb:g} allows"
            return Problem("file-too-large", f"{named}: {size}; {_NEXT}")
        digest = _hashed(file)
    name = _text(path.name).replace("\\", "_")
    place = _text(Path(os.path.relpath(path, folder.resolve())).as_posix())
    return Found(path, place, name, _kind(path), digest, facts.st_size, _changed_at(facts))


def _changed_at(facts: os.stat_result) -> int:
    return max(facts.st_mtime_ns // MILLISECOND, 1)  # to Zotero 0 is no time


def _open(path: Path) -> BinaryIO:
    """Open a file that is no link; not every system can be told so."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    return os.fdopen(handle, "rb")


def _hashed(file: BinaryIO) -> str:
    digest = hashlib.md5(usedforsecurity=False)  # what Zotero names files by
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _kind(path: Path) -> str:
    """By its name, and the same on every machine."""
    return mimetypes.MimeTypes().guess_type(f"a{path.suffix}")[0] or UNKNOWN_TYPE


def _text(name: str) -> str:
    """A file's name as text, also where its bytes are none."""
    return name.encode("utf-8", "replace").decode()
