"""What `status` tells beyond the ledger's numbers: what the service does now, what comes next, what stays where it is and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sync import drops, orders
from sync.config import Config
from sync.errors import UsageFault
from sync.health.bulletin import read_bulletin
from sync.state.ledger import Ledger
from sync.state.refused_keys import RefusedKeys

MOST = 50  # files that are named; the others are counted
RUNS = 5  # the newest


def life(config: Config) -> dict[str, Any]:
    """The service: whether it lives, what it does, what comes next; or how the last one ended that did so without a word."""
    lives, pulse = orders.daemon_lives(config), read_bulletin(config.state.path)
    if not lives:
        killed = bool(pulse) and not pulse.get("stopped")
        died = {"at": pulse.get("beat", ""), "doing": pulse.get("doing")} if killed else None
        return {
            "daemon": False,
            "started": "",
            "doing": None,
            "next": {},
            "retries": [],
            "inboxes_seen": {},
            "quiet_until": "",
            "failing": {},
            "died": died,
        }
    return {
        "daemon": True,
        "started": pulse.get("started", ""),
        "doing": pulse.get("doing"),
        "next": pulse.get("next", {}),
        "retries": pulse.get("retries", []),
        "inboxes_seen": pulse.get("inboxes", {}),
        "quiet_until": pulse.get("quiet_until", ""),
        "failing": pulse.get("failing", {}),
        "died": None,
    }


def memory(ledger: Ledger) -> dict[str, Any]:
    """What the ledger knows of keys that were refused, the oldest open drop, the newest runs, and notices."""
    open_drops = [row for row in ledger.records.drops() if row.state not in {"done", "undone"}]
    oldest = min(open_drops, key=lambda row: row.arrived, default=None)
    return {
        "refused_keys": RefusedKeys(ledger.database).all(),
        "oldest_open": {"path": oldest.path, "since": oldest.arrived} if oldest else None,
        "runs": [
            {
                "run": row.id,
                "kind": row.kind,
                "started": row.started,
                "finished": row.finished,
                "wrote": row.wrote,
                "failure": (ledger.report(row.id) or {}).get("failure", ""),
            }
            for row in ledger.undoings.runs(RUNS)
        ],
        "notices": {
            "waiting": ledger.notices.count_waiting(),
            "ways": {name: {"tries": one.tries, "why": one.why} for name, one in ledger.notices.troubles().items()},
        },
    }


def staying(config: Config, living: Mapping[str, Any], stopped: Mapping[str, Any], degraded: str) -> dict[str, Any]:
    """What lies in the inboxes and their `held/`, and why: how much of what, and the first files by name. living: as `life` has it."""
    quiet = living["quiet_until"]
    again = {retry["path"]: f"is tried again at {max(retry['at'], quiet)}" for retry in living["retries"]}
    found = [one for name in config.inbox for one in _stay(config, name, again, stopped, degraded, quiet)]
    return {"total": len(found), "by": dict(Counter(kind for kind, _, _, _ in found)), "files": [
        {"inbox": inbox, "path": path, "why": why} for _, inbox, path, why in found[:MOST]
    ]}  # fmt: skip


def _stay(
    config: Config, name: str, again: Mapping[str, str], stopped: Mapping[str, Any], degraded: str, quiet: str
) -> Iterator[tuple[str, str, str, str]]:
    """Kind, inbox, path and reason of each file."""
    own = config.inbox[name]
    root = Path(own.path)
    if wrong := drops.why_no_folder(own.path):
        yield "gone", name, str(root), f"the folder {wrong}"
        return
    for path in _files(root, attaching=own.attachments == "files") if own.on_success != "leave" else ():
        if own.library in stopped:
            yield "stopped", name, str(path), f"library {own.library} is stopped"
        elif str(path) in again:
            yield "retry", name, str(path), again[str(path)]
        elif degraded:
            yield "disk", name, str(path), "too little space is free"
        elif quiet:
            yield "quiet", name, str(path), f"quiet hours until {quiet}"
        else:
            yield "waiting", name, str(path), "waits for its turn"
    for path in _files(root / drops.HELD, attaching=False):
        report = f"{path.name}{drops.REPORT} beside it says at what"
        yield "held", name, str(path), f"a person must look: {report}; once mended, zotdrop retry"


def _files(folder: Path, *, attaching: bool) -> list[Path]:
    try:
        listing = list(drops.scan(folder)) if folder.is_dir() else []
    except (UsageFault, OSError):  # not for us to look into
        return []
    return drops.only_drops(listing, listing) if attaching else listing
