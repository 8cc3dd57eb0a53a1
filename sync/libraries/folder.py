"""Files of a library of our own: in a folder beside it, each under its item's key."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from sync.errors import Outage
from sync.libraries.base import QUOTA, File, Refusal

CHUNK = 1 << 20  # bytes in memory at once
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def keep(folder: Path, file: File) -> Refusal | None:
    """Have a file on disk at `folder/KEY/NAME`, whole or not at all; why not, None if it is there.

    Raises Outage where its bytes change while they are read, OSError where the folder cannot be used.
    """
    if file.name in {"", ".", ".."} or "/" in file.name or "\0" in file.name:
        return Refusal(file.key, 400, f"{file.name!r} is no name of a file")
    goal = folder / file.key / file.name
    goal.parent.mkdir(parents=True, exist_ok=True)
    part = folder / file.key / ".part"
    try:
        _copy(file, part)
        part.replace(goal)
    except OSError as fault:
        if fault.errno not in _FULL:
            raise
        return Refusal(file.key, QUOTA, f"{folder}: {fault.strerror}")
    finally:
        part.unlink(missing_ok=True)
    return None


def _copy(file: File, part: Path) -> None:
    file.data.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    with part.open("wb") as out:
        while chunk := file.data.read(CHUNK):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != file.md5:
        raise Outage(f"{file.name} changed while it was read; it will be tried again", service="library")
