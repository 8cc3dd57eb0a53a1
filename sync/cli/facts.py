"""How things stand: drops, counts, what waits for what."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sync.report.words import count, printable

if TYPE_CHECKING:
    from sync.config import Config


def standing(config: Config, ledger: Any) -> dict[str, Any]:
    """What `status --json` prints."""
    from sync.health.standing import life, memory, staying
    from sync.state.withdrawals import named

    drops = [
        {
            "drop": named(row.id),
            "path": row.path,
            "inbox": row.inbox,
            "arrived": row.arrived,
            "state": row.state,
            "entries": row.entries,
        }
        for row in ledger.records.drops()
    ]
    living, degraded = life(config), _degraded(config)
    stopped = {name: asdict(stop) for name, stop in ledger.stops.all().items() if name in config.library}
    return {
        "schema": 1,
        **living,
        **memory(ledger),
        "stays": staying(config, living, stopped, degraded),
        "inboxes": {name: str(inbox.path) for name, inbox in config.inbox.items()},
        "degraded": degraded,
        "drops": {
            "total": len(drops),
            **{name: sum(drop["state"] == name for drop in drops) for name in ("done", "undone")},
        },
        "open": [drop for drop in drops if drop["state"] not in {"done", "undone"}],
        "stopped": stopped,
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
    """The same for a person."""
    lines = _life(facts)
    lines += [f"degraded: {facts['degraded']}"] if facts["degraded"] else []
    lines += [f"library {name}: stopped since {stop['at']}: {stop['why']}" for name, stop in facts["stopped"].items()]
    lines += [f"key refused by {key['address']} on {key['at']}: {key['why']}" for key in facts["refused_keys"]]
    lines += [f"inbox {name}: {path}" for name, path in facts["inboxes"].items()]
    lines += _stays(facts["stays"])
    undone = f", taken back: {facts['drops']['undone']}" if facts["drops"]["undone"] else ""
    lines.append(f"drops: {facts['drops']['total']}, of them done: {facts['drops']['done']}{undone}")
    lines += [
        f"  open: {drop['drop']} {drop['path']} ({drop['entries']} records, since {drop['arrived']})"
        for drop in facts["open"]
    ]
    lines.append("records: " + (", ".join(f"{n} {name}" for name, n in facts["outcomes"].items()) or "none yet"))
    lines += [f"waiting: {what}: {number}" for what, number in facts["waits"].items() if number]
    lines += [
        f"notices by {name}: {way['why']} ({way['tries']} tries)" for name, way in facts["notices"]["ways"].items()
    ]
    lines += [_run(run) for run in facts["runs"]]
    return "\n".join(map(printable, lines))


def _life(facts: dict[str, Any]) -> list[str]:
    """Whether the service runs, what it does, what comes next."""
    died = facts["died"]
    if died:
        return [
            f"service: not running; it ended without a word after {died['at']}{_doing(died['doing'], ', in the middle of: ')}"
        ]
    if not facts["daemon"]:
        return ["service: not running"]
    lines = [f"service: running since {facts['started']}", f"now: {_doing(facts['doing']) or 'nothing to do'}"]
    if facts["quiet_until"]:
        lines.append(f"quiet hours until {facts['quiet_until']}: no inbox is looked at, nothing is taken in")
    lines += [f"{name}: failed {times} times in a row; the log says why" for name, times in facts["failing"].items()]
    times = {name: at for name, at in facts["next"].items() if name not in {"orders", "bulletin", "watchdog"}}
    return [*lines, *([f"next: {', '.join(f'{name} {at}' for name, at in times.items())}"] if times else [])]


def _doing(doing: dict[str, Any] | None, before: str = "") -> str:
    if not doing:
        return ""
    far = f", {doing['done']:,}" + (f" of {doing['total']:,}" if doing["total"] else "") if doing["done"] else ""
    return f"{before}{doing['what']}{far} (since {doing['since']})"


def _stays(stays: dict[str, Any]) -> list[str]:
    """Files that are still there, ten by name."""
    files, total = stays["files"][:10], stays["total"]
    more = [f"  stays: {total - len(files)} more (--json has their number by reason)"] if total > len(files) else []
    return [*(f"  stays: {file['path']}: {file['why']}" for file in files), *more]


def _run(run: dict[str, Any]) -> str:
    ended = run["failure"] or (f"{count(run['wrote'], 'object')} written" if run["finished"] else "not ended")
    return f"run {run['run']} ({run['kind']}): {ended}"
