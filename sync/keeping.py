"""The ledger kept for years: what is let go of after a time, backups, and how a lost or older ledger is told."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

from sync import drops, wiring
from sync.config import Config
from sync.drops import old
from sync.report import RunReport, Upkeep
from sync.run import new_run_id, rebuild_library
from sync.state import backups
from sync.state.ledger import Ledger
from sync.state.marks import Mark
from sync.state.upkeep import IDLE_DAYS, Cutoffs
from sync.steps.rebuilding import Found
from sync.steps.tools import Tools, instant

log = logging.getLogger("zotdrop.keeping")

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was made. size: bytes.  gone: older ones that were deleted for it."""

    path: Path
    size: int
    gone: tuple[Path, ...] = ()


@contextmanager
def ledger_of(config: Config, *, dry: bool = False) -> Iterator[Ledger]:
    """The ledger for a run. One that is not what the last run left here is told, and every library is read whole before it is written."""
    ledger = wiring.open_ledger(config)
    try:
        mark = Mark(ledger.database)
        strange = mark.strange()
        if strange:
            ledger.regain()
            log.warning("%s: %s", config.state.path, _STRANGE.format(strange))
        if not dry:
            mark.advance()
        yield ledger
        if not dry:
            mark.advance()  # a copy that was made while this run was at work is older from here on
    finally:
        ledger.close()


_STRANGE = (
    "{}. Each library is read whole, with what was deleted, before anything is written to it; what the ledger does not know is taken"
    " for a person's. zotdrop rebuild notes the drops that are missing"
)


def rebuild(config: Config, tools: Tools, library: str) -> RunReport:
    """Note what lies in `done/` and `held/` of a library's inboxes and is not known, with what became of it. Nothing is written to the library."""
    found = [
        Found(one, wiring.rules(config, name))
        for name, inbox in config.inbox.items()
        if inbox.library == library
        for folder in (drops.DONE, drops.HELD)
        for one in old.put_away(Path(inbox.path), name, folder)
    ]
    return rebuild_library(tools, sorted(found, key=lambda one: one.put_away.at))


def cleanup(config: Config, ledger: Ledger, stop: Event, *, dry: bool = False) -> RunReport:
    """Let go of what `[retention]` no longer keeps, in the ledger and in the folders. dry: only say what would go."""
    began = wiring.utc_now()
    went = ledger.upkeep.let_go(cutoffs(config, began), instant(began), dry=dry)
    files = 0
    for found, root in _outlived(config, ledger, began):
        files += 1
        if not dry:
            old.let_go(found, root)
    went = {"archived drops": files, "texts of standard input": _spooled(config, ledger, began, dry=dry), **went}
    freed = 0 if dry else ledger.upkeep.shrink(_room(config), stop.is_set)
    told = [f"  {number:>6}  {what}" for what, number in went.items() if number]
    head = "Would be let go of" if dry else "Let go of"
    lines = [f"{head}, as [retention] says:", *told] if told else ["Nothing is older than [retention] keeps it."]
    lines += [f"{freed / _MEGABYTE:.1f} MB of the ledger were given back to the disk."] if freed else []
    lines.append(f"The ledger has {ledger.upkeep.bytes() / _MEGABYTE:.1f} MB.")
    facts = {"let_go": went, "freed": freed, "bytes": ledger.upkeep.bytes()}
    seconds = (wiring.utc_now() - began).total_seconds()
    upkeep = Upkeep("cleanup", tuple(lines), facts)
    return RunReport(new_run_id(began), instant(began), seconds, {}, dry=dry, upkeep=upkeep)


def forget(ledger: Ledger, drop: int, *, dry: bool) -> RunReport:
    """Let go of a drop whose reading was cut off, and whose file somebody may have taken away: nothing of it was written."""
    began, path = wiring.utc_now(), ledger.records.get(drop).path
    if not dry:
        ledger.records.forget(drop)
    told = f"{path}: its reading was cut off and nothing of it was written; it is as if it had not come, and may come again"
    upkeep = Upkeep("forgotten", (told,), {"path": path})
    return RunReport(new_run_id(began), instant(began), 0.0, {}, dry=dry, upkeep=upkeep)


def back_up(config: Config, goal: Path | None, keep: int) -> BackedUp:
    """Copy the ledger while others work with it; without a goal to its usual place, where so many are kept (0: all).

    Raises UsageFault for a goal that is the ledger itself, or a file that is no ledger.
    """
    path = Path(config.state.path)
    target = goal or backups.named(path, f"{wiring.utc_now():%Y%m%dT%H%M%SZ}")
    if target.is_dir():
        target /= backups.named(path, f"{wiring.utc_now():%Y%m%dT%H%M%SZ}").name
    backups.refuse_strangers(path, target)
    ledger = wiring.open_ledger(config)
    try:
        ledger.database.back_up(target)
    finally:
        ledger.close()
    gone = () if goal else tuple(backups.prune(path, keep))
    return BackedUp(target, target.stat().st_size, gone)


def cutoffs(config: Config, now: datetime) -> Cutoffs:
    """Before which instant what may go."""

    def before(days: float) -> str:
        return instant(now - timedelta(days=days)) if days else ""

    own = config.retention
    return Cutoffs(before(own.raw), before(own.journal), before(own.cache), before(IDLE_DAYS))


def _outlived(config: Config, ledger: Ledger, now: datetime) -> Iterator[tuple[old.PutAway, Path]]:
    """Archived drops that are older than `[retention] drops`, and the folder that they lie in."""
    if not config.retention.drops:
        return
    before = (now - timedelta(days=config.retention.drops)).timestamp()
    for name, inbox in config.inbox.items():
        root = Path(inbox.path)
        for found in old.put_away(root, name, drops.DONE):
            if old.outlived(found, before, ledger.records.settled):
                yield found, root / drops.DONE


def _spooled(config: Config, ledger: Ledger, now: datetime, *, dry: bool) -> int:
    """What came on standard input and has settled goes with the archived drops."""
    folder, went = Path(config.state.path).parent / drops.SPOOL, 0
    if not config.retention.drops or not folder.is_dir():
        return 0
    before = (now - timedelta(days=config.retention.drops)).timestamp()
    for path in drops.scan(folder):
        if path.stat().st_mtime < before and ledger.records.settled(drops.take(path, "", folder).sha256):
            went += 1
            if not dry:
                path.unlink(missing_ok=True)
    return went


def _room(config: Config) -> int:
    """How many bytes of the ledger's disk may be used for making it anew."""
    free = shutil.disk_usage(Path(config.state.path).parent).free
    return max(0, free - config.state.min_free_mb * _MEGABYTE)
