"""Drops that were put away: found again with the report that lies beside each, and let go of after a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync.drops import HELD, REPORT, Drop, scan, take
from sync.errors import UsageFault


@dataclass(frozen=True, slots=True)
class PutAway:
    """A drop in `done/` or `held/`. at: when it was put there, seconds since 1970.  told: what its report says, empty without one.

    path: where it lay in its inbox.
    """

    drop: Drop
    at: float
    path: Path
    held: bool
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def report(self) -> Path:
        """The report beside it."""
        return _beside(self.drop.path)


def put_away(root: Path, inbox: str, folder: str) -> Iterator[PutAway]:
    """The drops that lie in a folder of an inbox (`done` or `held`), in order of name; files that cannot be read are left out."""
    if not (root / folder).is_dir():
        return
    for path, stamp in scan(root / folder).items():
        beside = _beside(path)
        told = _read(beside)
        with suppress(UsageFault):
            drop = take(path, inbox, root / folder)
            told = told if told.get("sha256") == drop.sha256 else {}
            at = beside.stat().st_mtime if told else stamp.mtime_ns / 1e9
            name = Path(str(told.get("path", ""))).name or path.name
            yield PutAway(drop, at, root / drop.subfolder / name, folder == HELD, told)


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
    return bool(found.told) and found.at < before and known(found.drop.sha256)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + REPORT)


def _read(report: Path) -> Mapping[str, Any]:
    """What a report says; nothing where it is missing or no report."""
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
