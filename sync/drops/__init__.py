"""Files that arrive: found, settled, hashed, read line by line, put away. A file is never changed, and never lost."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sync.drops.files import is_no_export, only_drops, why_no_export
from sync.drops.lines import Lines, lines_of, open_lines, opened
from sync.drops.settling import Settle, Stamp
from sync.errors import Stuck, UsageFault

__all__ = [
    "DONE",
    "HELD",
    "REPORT",
    "SPOOL",
    "Drop",
    "Lines",
    "Settle",
    "Stamp",
    "archive",
    "can_leave",
    "hold",
    "is_no_export",
    "legible",
    "lines_of",
    "listing",
    "only_drops",
    "open_lines",
    "remove",
    "scan",
    "settled",
    "still",
    "store",
    "take",
    "why_closed",
    "why_no_export",
    "why_no_folder",
]

DONE, HELD = "done", "held"
SPOOL = "spool"  # beside the ledger: what came on standard input
REPORT = ".report.json"  # put after the name of a drop
MOST_NAME = 255  # bytes of a file's name
CHUNK = 1 << 20  # bytes read at once

# What browsers, synchronisers and editors leave while a file is still on its way, or beside it.
_BEGINNINGS = (".", "~$", "~syncthing~")
_ENDS = (
    *(".part", ".partial", ".crdownload", ".download", ".opdownload", ".filepart", ".tmp", ".swp", "~"),
    REPORT,
)
_NAMES = frozenset({"desktop.ini", "thumbs.db"})
_FOREIGN_FOLDERS = frozenset({"@eaDir", "#recycle", "lost+found"})


@dataclass(frozen=True, slots=True)
class Drop:
    """One file that arrived. sha256: of its bytes, hex.  subfolder: its folder below the inbox, with `/`, empty at the top.
    stamp: of the file when it was hashed; None for one whose file is not at hand.
    """

    path: Path
    sha256: str
    size: int
    inbox: str
    subfolder: str = ""
    stamp: Stamp | None = None


def scan(root: Path) -> dict[Path, Stamp]:
    """The files in a folder and its subfolders that may be drops, by path, in order of name; as `listing` finds them."""
    return {Path(path): stamp for path, stamp in listing(root).items()}


def listing(root: Path, closed: list[str] | None = None) -> dict[str, Stamp]:
    """The same with paths as text, which costs a third.

    `done/` and `held/`, hidden and temporary names, links, pipes and devices are left out. A subfolder that cannot be read is
    left out too, and noted in `closed`; a root that cannot be read raises UsageFault.
    """
    found: dict[str, Stamp] = {}
    folders = [root]
    while folders:
        folder = folders.pop()
        for entry in _entries(folder, is_root=folder == root, closed=closed):
            if _is_temporary(entry.name.lower()):
                continue
            with suppress(OSError):  # gone since, or not for us to look at
                if entry.is_file(follow_symlinks=False):
                    found[entry.path] = _stamp(entry.stat(follow_symlinks=False))
                elif entry.is_dir(follow_symlinks=False) and not _is_foreign(entry.name, at_root=folder == root):
                    folders.append(Path(entry.path))
    paths = sorted(found, key=lambda path: path.replace(os.sep, "\0"))  # part by part, as paths are compared
    return {path: found[path] for path in paths}


def settled(
    root: Path, seconds: float, *, now: Callable[[], float], wait: Callable[[float], None], patience: float
) -> list[Path]:
    """The files in an inbox, once all of them have settled, or those that have when patience (seconds) ends."""
    settle, began = Settle[Path](seconds), now()
    while True:
        found = scan(root)
        ready = settle.feed(found, now())
        if len(ready) == len(found) or now() - began >= patience:
            return ready
        wait(min(1.0, max(0.05, seconds / 4)))


def take(path: Path, inbox: str, root: Path) -> Drop:
    """The drop that a file is: hashed, with its place in the inbox. Raises UsageFault for what is no file, or is closed to us."""
    digest = hashlib.sha256()
    if path.exists() and not path.is_file():  # a pipe would be waited for, and could not be read twice
        raise UsageFault(f"{path}: this is no file; what comes through a pipe is read with: zotdrop sync -")
    try:
        with opened(path) as file:
            stamp = _stamp(os.fstat(file.fileno()))
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as fault:
        raise UsageFault(f"{path}: cannot be read ({fault.strerror}); mend its rights, then sync again") from fault
    inside = path.parent.relative_to(root) if path.is_relative_to(root) else Path()
    subfolder = "" if inside == Path() else inside.as_posix()
    return Drop(path, digest.hexdigest(), stamp.size, inbox, subfolder, stamp)


def still(drop: Drop) -> bool:
    """Whether the file is, by its stamp, the one that was hashed. One that is gone since was not changed."""
    try:
        return drop.stamp is None or _stamp(drop.path.stat()) == drop.stamp
    except FileNotFoundError:
        return True
    except OSError:
        return False


def legible(name: str) -> str:
    """A file's name as text, also where its bytes are none."""
    return name.encode("utf-8", "backslashreplace").decode()


def why_closed(path: str) -> str:
    """Why we may not read this file; empty if we may, or if it is gone."""
    try:
        os.close(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)))
    except FileNotFoundError:
        return ""
    except OSError as fault:
        return fault.strerror or str(fault)
    return ""


def can_leave(path: Path, root: Path) -> bool:
    """Whether the rights allow that a drop is put away; nothing is tried."""
    folders = (folder for folder in (path.parent, root, root / DONE, root / HELD) if folder.exists())
    ours = os.access in os.supports_effective_ids
    return all(os.access(folder, os.W_OK, effective_ids=ours) for folder in folders)


def why_no_folder(path: str) -> str:
    """What is wrong with the folder at this path, to stand behind its name; empty if there is one, entered or not."""
    if os.path.isdir(path):  # noqa: PTH112 (no error for a folder that we may not enter)
        return ""
    taken = os.path.exists(path)  # noqa: PTH110 (the same)
    return "is not there: a file lies in its place, move it away" if taken else "is gone"


def store(folder: Path, data: bytes) -> Path:
    """Keep bytes as a file named by their hash; written whole or not at all."""
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.ris"
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        _write(part, data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def archive(drop: Drop, root: Path, report: Mapping[str, Any]) -> Path:
    """Move a drop that is done to `done/`, its report beside it; where it went."""
    return _put_away(drop, root / DONE, report)


def hold(drop: Drop, root: Path, report: Mapping[str, Any]) -> Path:
    """Move a drop at which a person must look to `held/`, byte for byte, its report beside it; where it went.

    One that lies there already stays, with a new report.
    """
    if drop.path.parent == root / HELD / drop.subfolder:
        _write(_beside(drop.path), _told(report))
        return drop.path
    return _put_away(drop, root / HELD, report)


def remove(drop: Drop) -> None:
    """Delete a drop that is done, if it is still the file that was read."""
    if not _unchanged(drop):
        return
    try:
        drop.path.unlink()
    except OSError as fault:
        raise Stuck(
            f"{drop.path}: worked off, but cannot be deleted ({fault.strerror}); {_mend(fault)}."
            " The file stays; it will not be worked off twice"
        ) from fault
    _forget_report(drop.path)


def _is_temporary(name: str) -> bool:
    return name.startswith(_BEGINNINGS) or name.endswith(_ENDS) or name in _NAMES


def _is_foreign(name: str, *, at_root: bool) -> bool:
    """Whether drops are not looked for in a folder of this name."""
    return name in _FOREIGN_FOLDERS or (at_root and name in {DONE, HELD})


def _entries(folder: Path, *, is_root: bool, closed: list[str] | None) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as fault:
        if is_root:
            raise UsageFault(f"{folder}: cannot be read ({fault.strerror})") from fault
        if closed is not None and isinstance(fault, PermissionError):
            closed.append(str(folder))
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
    try:
        goal = _free(folder / drop.subfolder, drop)
        _make_like(folder.parent, goal.parent)
        beside = _beside(goal)
        try:
            _write(beside, _told(report))
            _share(folder.parent, beside)
            _move(drop.path, goal, drop.sha256)
        except OSError:
            with suppress(OSError):
                beside.unlink()
            raise
    except OSError as fault:
        raise Stuck(
            f"{drop.path}: worked off, but cannot be moved to {folder} ({fault.strerror or fault}); {_mend(fault)}."
            " The file stays; it will not be worked off twice"
        ) from fault
    _forget_report(drop.path)
    return goal


def _beside(path: Path) -> Path:
    """Where the report of a drop lies."""
    return path.with_name(path.name + REPORT)


def _told(report: Mapping[str, Any]) -> bytes:
    told = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    return told.encode("utf-8", "backslashreplace")  # a file's name may be no text


def _forget_report(path: Path) -> None:
    """The report of a drop that was held and has gone from there."""
    with suppress(OSError):
        if HELD in path.parts and not path.exists():
            _beside(path).unlink(missing_ok=True)


def _mend(fault: OSError) -> str:
    return "make room on its disk" if fault.errno in {errno.ENOSPC, errno.EDQUOT} else "mend the folder's rights"


def _make_like(root: Path, folder: Path) -> None:
    """Make a folder below an inbox; whoever may work in the inbox may work there too, whatever this process's umask says."""
    if folder.is_dir():
        return
    _make_like(root, folder.parent)
    folder.mkdir(exist_ok=True)
    _share(root, folder)


def _share(root: Path, path: Path) -> None:
    """Give what was made in an inbox the inbox's group, and the group the rights that it has there; as far as the system lets us."""
    with suppress(OSError, AttributeError, NotImplementedError):
        own, made = root.stat(), path.stat()
        if own.st_gid != made.st_gid:
            os.chown(path, -1, own.st_gid)
        group = own.st_mode & (stat.S_IRWXG | stat.S_ISGID)
        if not stat.S_ISDIR(made.st_mode):
            group &= stat.S_IRGRP | stat.S_IWGRP
        path.chmod(stat.S_IMODE(made.st_mode) | group)


def _free(folder: Path, drop: Drop) -> Path:
    """A name that neither a file nor a report has: its own, else with a part of the hash, else with a number too."""
    name, short = drop.path, drop.sha256[:8]
    stem, suffix = (name.stem, name.suffix) if len(name.suffix) < 20 else (name.name, "")
    for tail in chain(("", f".{short}"), (f".{short}-{number}" for number in range(2, 10_000))):
        end = tail + suffix
        goal = folder / (_cut_name(stem, MOST_NAME - len(os.fsencode(end + REPORT))) + end)
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
        with part.open("r+b") as file:
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
