"""An order is what one sync was asked to do; carrying it out gives one report per library it touches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from contextvars import copy_context
from pathlib import Path
from threading import Event

from filelock import FileLock, Timeout

from sync import keeping, wiring
from sync.config import Config
from sync.core.rings import few_rings
from sync.errors import ConfigFault, Locked, Outage, UsageFault, ZotdropError
from sync.orders.called import drop_called
from sync.orders.locks import daemon_lives, daemon_lock, take_back
from sync.orders.order import Order, check_names
from sync.orders.tasks import passed_over, spool, tasks_of
from sync.report import RunReport
from sync.run import refresh_library, retry_drops, see_library, sync_drops, undo_run, withdraw_drop
from sync.state import examining
from sync.state.ledger import Ledger
from sync.steps.tools import Task, Tools, instant

__all__ = [
    "Order",
    "carry_out",
    "check_names",
    "daemon_lives",
    "daemon_lock",
    "examine",
    "passed_over",
    "spool",
    "take_back",
    "worst",
]

Tell = Callable[[str, int, int], None]


def carry_out(config: Config, order: Order, *, kind: str, stop: Event, tell: Tell) -> list[RunReport]:
    """Work the order off, library by library. Raises Locked while another run is at work on the same state."""
    lock = FileLock(f"{config.state.path}.run.lock")
    Path(config.state.path).parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Locked(
            f"{config.state.path}: another zotdrop run is at work on this state; wait until it has ended, then try again"
        ) from None
    try:
        with few_rings():
            # In a context of its own: whose run the log's lines belong to ends with it.
            return copy_context().run(_by_library, config, order, kind=kind, stop=stop, tell=tell)
    finally:
        lock.release()


def examine(config: Config) -> None:
    """Look through a ledger whose last run was cut off, before a daemon goes on with it. Raises LedgerFault for a damaged one."""
    examining.examine(Path(config.state.path))


def _by_library(config: Config, order: Order, *, kind: str, stop: Event, tell: Tell) -> list[RunReport]:
    if order.undo:
        return [_undo(config, order, stop, tell)]
    if order.withdraw:
        return [_withdraw(config, order, stop, tell)]
    if order.cleanup:
        return [_cleanup(config, order, stop)]
    by_library: dict[str, list[Task]] = {}
    for task in tasks_of(config, order, stop):
        by_library.setdefault(order.library or config.inbox[task.rules.inbox].library, []).append(task)
    if not by_library:
        asked = [config.inbox[order.inbox]] if order.inbox in config.inbox else config.inbox.values()
        names = {inbox.library for inbox in asked}
        by_library = {name: [] for name in sorted({order.library} if order.library else names)}
    with keeping.ledger_of(config, dry=order.dry_run) as ledger:
        reports = []
        for library, tasks in by_library.items():
            with wiring.open_tools(
                config,
                library,
                ledger,
                stop=stop,
                tell=tell,
                dry=order.dry_run,
                offline=order.offline,
                ask=not order.no_enrich,
                accept_empty=order.accept_empty,
            ) as tools:
                reports.append(_carried(config, order, library, tools, tasks, kind))
            if not order.dry_run:
                _note_stop(ledger, library, reports[-1])
        return reports


def _carried(config: Config, order: Order, library: str, tools: Tools, tasks: Sequence[Task], kind: str) -> RunReport:
    if order.rebuild:
        return keeping.rebuild(config, tools, library)
    if order.snapshot:
        return see_library(tools)
    if order.refresh:
        return refresh_library(tools, wiring.foreign_sources(config, library))
    return retry_drops(tools, tasks) if order.retry else sync_drops(tools, tasks, kind=kind)


def _undo(config: Config, order: Order, stop: Event, tell: Tell) -> RunReport:
    """Take a run back, in the library that it wrote to. Raises UsageFault where there is no such run or library."""
    with keeping.ledger_of(config, dry=order.dry_run) as ledger:
        run = ledger.undoings.find(order.undo)
        if run is None:
            raise UsageFault(f"{order.undo}: there is no such run; zotdrop history shows what there is")
        if run.let_go:
            raise UsageFault(
                f"{order.undo}: what this run wrote was let go of on {run.let_go[:10]}, as [retention] journal says;"
                " it cannot be taken back any more"
            )
        if not (run.wrote or ledger.undoings.took(run.id)):
            raise UsageFault(f"{order.undo}: this run wrote nothing; there is nothing to take back")
        name = _library_called(config, ledger.undoings.library_of(run.id), stop)
        with wiring.open_tools(
            config, name, ledger, stop=stop, tell=tell, dry=order.dry_run, offline=True, ask=False
        ) as tools:
            return undo_run(tools, run.id)


def _withdraw(config: Config, order: Order, stop: Event, tell: Tell) -> RunReport:
    """Take a drop back, in the library that it went to. Raises UsageFault where that cannot be, before anything is written."""
    with keeping.ledger_of(config, dry=order.dry_run) as ledger:
        drop = drop_called(config, ledger, order.withdraw)
        instead = drop_called(config, ledger, order.instead) if order.instead else None
        if ledger.records.get(drop).state == "reading" and instead is None:
            return keeping.forget(ledger, drop, dry=order.dry_run)
        ledger.withdrawals.check(drop)
        if instead is not None:
            _check_instead(ledger, drop, instead)
        name = _library_called(config, ledger.withdrawals.library_of(drop), stop)
        with wiring.open_tools(
            config, name, ledger, stop=stop, tell=tell, dry=order.dry_run, offline=True, ask=False
        ) as tools:
            return withdraw_drop(tools, drop, "withdraw" if instead is None else "supersede", instead)


def _check_instead(ledger: Ledger, drop: int, instead: int) -> None:
    old, new = ledger.records.get(drop), ledger.records.get(instead)
    if drop == instead:
        raise UsageFault(f"{old.path}: a drop cannot stand for itself")
    if new.library != old.library:
        raise UsageFault(f"{new.path}: it went to another library than {old.path} and cannot stand for it")
    if new.state != "done":
        raise UsageFault(f"{new.path}: not worked off to the end; zotdrop status says what it waits for")


def _cleanup(config: Config, order: Order, stop: Event) -> RunReport:
    with closing(wiring.open_ledger(config)) as ledger:
        return keeping.cleanup(config, ledger, stop, dry=order.dry_run)


def _library_called(config: Config, identity: str, stop: Event) -> str:
    """The name of the library with this identity. One that cannot be told (its key or its program is missing) is passed over."""
    passed: ZotdropError | None = None
    for name in config.library:
        try:
            with closing(wiring.open_library(config, name, stop)) as library:
                if library.identity == identity:
                    return name
        except (ConfigFault, Outage) as fault:
            passed = fault
    raise passed or UsageFault(f"the run wrote to {identity}, which is no library of this config")


def _note_stop(ledger: Ledger, library: str, report: RunReport) -> None:
    """Whether the library refused us, for `status` and the service; another library's drops do not wait for it."""
    refused = report.failure_code == ConfigFault.exit_code
    ledger.stops.note(library, instant(wiring.utc_now()), report.failure if refused else "")


def worst(reports: Sequence[RunReport], *, strict: bool) -> int:
    """The exit code of several runs: the first that is not 0."""
    return next((code for code in (report.exit_code(strict=strict) for report in reports) if code), 0)
