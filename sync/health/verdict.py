"""Whether the service is well, and if not, why: nothing of it names a path of this machine. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sync import __version__
from sync.state.figures import Figures

LATE = 60.0  # seconds at least that a look may be overdue
LATE_TIMES = 6  # and so many times the time between two looks
TIMES = 3  # faults of a job in a row: fewer may be a passing one


def health(
    pulse: Mapping[str, Any],
    found: Figures | None,
    *,
    free_mb: int,
    least_mb: int,
    polls: Mapping[str, float],
    now: datetime,
) -> dict[str, Any]:
    """What `/healthz` tells. polls: seconds between two looks, of each inbox that has no schedule.  found: None if it cannot be read."""
    late = [name for name, every in polls.items() if _is_late(pulse, name, every, now)]
    reasons = list(_reasons(pulse, found, free_mb < least_mb, late))
    doing = pulse["doing"]
    return {
        "status": "degraded" if reasons else "ok",
        "reasons": reasons,
        "alive": True,
        "version": __version__,
        "started": pulse["started"],
        "doing": {name: doing[name] for name in ("inbox", "done", "total", "since")} if doing else None,
        "inboxes": {
            name: {"looked": own["looked"], "there": own["there"], "waiting": own["waiting"], "success": own["success"]}
            for name, own in pulse["inboxes"].items()
        },
        "stopped": dict(found.stopped) if found else {},
        "disk": {"free_mb": free_mb, "min_free_mb": least_mb},
    }


def _reasons(pulse: Mapping[str, Any], found: Figures | None, low: bool, late: list[str]) -> Iterator[str]:
    if low:
        yield "less space is free than [state] min_free_mb: no new drops are taken in"
    if found is None:
        yield "the ledger cannot be read"
    for name in found.stopped if found else ():
        yield f"library {name} refuses zotdrop: zotdrop status says why"
    for name, own in pulse["inboxes"].items():
        if not own["there"]:
            yield f"the folder of inbox {name} is gone or no folder"
    for name, times in pulse.get("failing", {}).items():
        if times >= TIMES:
            yield f"{name} failed {times} times in a row: the log says why"
    for name in late:
        yield f"inbox {name} was not looked at for too long"


def _is_late(pulse: Mapping[str, Any], inbox: str, every: float, now: datetime) -> bool:
    """Whether an inbox was not looked at when it should have been; while a run is at work, or in quiet hours, none is."""
    if pulse["doing"] is not None or pulse.get("quiet_until"):
        return False
    last = pulse["inboxes"].get(inbox, {}).get("looked") or pulse["started"]
    return (now - datetime.fromisoformat(last)).total_seconds() > max(LATE, LATE_TIMES * every)
