"""How things stand: drops, counts, what waits for what."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sync.report.words import printable

if TYPE_CHECKING:
    from sync.config import Config


def standing(config: Config, ledger: Any) -> dict[str, Any]:
    """What `status --json` prints, but for whether the service is running."""
    drops = [
        {"path": row.path, "inbox": row.inbox, "arrived": row.arrived, "state": row.state, "entries": row.entries}
        for row in ledger.records.drops()
    ]
    return {
        "schema": 1,
        "inboxes": {name: str(inbox.path) for name, inbox in config.inbox.items()},
        "degraded": _degraded(config),
        "drops": {"total": len(drops), "done": sum(drop["state"] == "done" for drop in drops)},
        "open": [drop for drop in drops if drop["state"] != "done"],
        "stopped": {name: asdict(stop) for name, stop in ledger.stops.all().items() if name in config.library},
        "outcomes": ledger.totals(),
        "waits": ledger.waits(),
    }


def _degraded(config: Config) -> str:
    from sync.wiring import free_mb

    free = free_mb(config)
    return (
        f"{free} MB are free, less than [state] min_free_mb: no new drops are taken in"
        if free < config.state.min_free_mb
        else ""
    )


def standing_text(facts: dict[str, Any]) -> str:
    """The same for a person, with `daemon`: whether the service is running."""
    lines = [f"service: {'running' if facts['daemon'] else 'not running'}"]
    lines += [f"degraded: {facts['degraded']}"] if facts["degraded"] else []
    lines += [f"library {name}: stopped since {stop['at']}: {stop['why']}" for name, stop in facts["stopped"].items()]
    lines += [f"inbox {name}: {path}" for name, path in facts["inboxes"].items()]
    lines.append(f"drops: {facts['drops']['total']}, of them done: {facts['drops']['done']}")
    lines += [f"  open: {drop['path']} ({drop['entries']} records, since {drop['arrived']})" for drop in facts["open"]]
    lines.append("records: " + (", ".join(f"{n} {name}" for name, n in facts["outcomes"].items()) or "none yet"))
    lines += [f"waiting: {what}: {number}" for what, number in facts["waits"].items() if number]
    return "\n".join(map(printable, lines))
