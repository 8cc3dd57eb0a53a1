"""Drops that were put away: found again with the report that lies beside each, and let go of after a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.drops import REPORT, Drop, scan, take
from sync.errors import UsageFault


@dataclass(frozen=True, slots=True)
class PutAway:
    """A drop in `done/` or `held/`. at: when it was put there, seconds since 1970.  path: where it lay in its inbox.

    reported: a report of these very bytes lies beside it.
    """

    drop: Drop
    at: float
    path: Path
    reported: bool

    @property
    def report(self) -> Path:
        """The report beside it."""
        return _beside(self.drop.path)

    def lines(self) -> list[Mapping[str, Any]]:
        """What the report says of each record; nothing without one."""
        lines = _read(self.report).get("records", ()) if self.reported else ()
        return [line for line in lines if isinstance(line, dict)]


def put_away(root: Path, inbox: str, folder: str) -> Iterator[PutAway]:
    """The drops that lie in a folder of an inbox (`done` or `held`), in order of name; files that cannot be read are left out."""
    if not (root / folder).is_dir():
        return
    for path, stamp in scan(root / folder).items():
        with suppress(UsageFault):
            drop = take(path, inbox, root / folder)
            told = _read(_beside(path))
            reported = told.get("sha256") == drop.sha256
            at = _beside(path).stat().st_mtime if reported else stamp.mtime_ns / 1e9
            name = Path(str(told["path"])).name if reported and told.get("path") else path.name
            yield PutAway(drop, at, root / drop.subfolder / name, reported)


def let_go(found: PutAway, root: Path) -> None:
    """Delete an archived drop with its report, and the folders below `root` that are empty then."""
    found.drop.path.unlink(missing_ok=True)
    found.report.unlink(missing_ok=True)
    folder = found.drop.path.parent
    with suppress(OSError):  # not empty: so be it
        while folder != root and folder.is_relative_to(root):
            folder.rmdir()
            folder = folder.parent


def outlived(found: PutAway, before: float, known: Callable[[str], bool]) -> bool:
    """Whether an archived drop may go: we put it there, long enough ago, and the ledger has settled every record of these bytes."""
    return found.reported and found.at < before and known(found.drop.sha256)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + REPORT)


def _read(report: Path) -> Mapping[str, Any]:
    """What a report says; nothing where it is missing or no report."""
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
