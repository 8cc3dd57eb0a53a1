"""An order is what one sync was asked to do; carrying it out gives one report per library it touches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from contextvars import copy_context
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from filelock import FileLock, Timeout

from sync import drops, keeping, wiring
from sync.config import Config, reviews
from sync.core.rings import few_rings
from sync.errors import ConfigFault, Locked, Outage, StateFault, UsageFault, ZotdropError
from sync.report import RunReport
from sync.run import refresh_library, retry_drops, see_library, sync_drops, undo_run, withdraw_drop
from sync.state import examining
from sync.state.ledger import Ledger
from sync.steps.tools import Task, Tools, instant

log = logging.getLogger("zotdrop.orders")

Tell = Callable[[str, int, int], None]

MEGABYTE = 1_000_000
SETTLE_PATIENCE = 600.0  # seconds: a file that is still being written after this is left for the next time


@dataclass(frozen=True, slots=True)
class Order:
    """What a sync was asked to do.

    paths: files to read; none: what lies in the inboxes (or in the one named).  names: how they are called in reports.
    wait_sources: whether records may wait for a source that is away (the daemon does, a manual sync does not).
    review: the review, and perhaps its search, that the files belong to.
    accept_empty: write even to a library that has lost all its items.
    owed_only: read nothing, only fill what earlier runs are owed.  refresh: read nothing, look at the library's items again.
    undo: read nothing, take back what this run wrote.  cleanup: read nothing, let go of what is older than it is kept.
    snapshot: read nothing, see what changed in the library.
    retry: read what lies in held/, and try again what was refused.
    rebuild: read what was put away, and note what became of it in the library, as far as the ledger does not know it.
    withdraw: read nothing, take back what this drop brought (by its path, name, or the beginning of its hash).
    instead: the drop that stands for it from now on.
    """

    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    inbox: str | None = None
    library: str | None = None
    collection: str | None = None
    review: str | None = None
    dry_run: bool = False
    no_enrich: bool = False
    offline: bool = False
    restore: bool = False
    wait_sources: bool = False
    owed_only: bool = False
    refresh: bool = False
    snapshot: bool = False
    accept_empty: bool = False
    undo: str = ""
    cleanup: bool = False
    rebuild: bool = False
    retry: bool = False
    withdraw: str = ""
    instead: str = ""

    @property
    def watched(self) -> bool:
        """Whether its files were seen in an inbox by the service, not named by hand."""
        return bool(self.paths and self.inbox and self.wait_sources)

    def as_json(self) -> dict[str, Any]:
        """For the ledger, when the order is handed to the daemon."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Order:
        """What `as_json` gave."""
        return cls(**{**data, "paths": tuple(data["paths"]), "names": tuple(data["names"])})


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


def daemon_lock(config: Config) -> FileLock:
    """The lock that a daemon holds for its life."""
    Path(config.state.path).parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{config.state.path}.daemon.lock")


def daemon_lives(config: Config) -> bool:
    """Whether a daemon holds its lock on this state."""
    lock = daemon_lock(config)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def take_back(config: Config, ledger: Ledger, wish: int) -> bool:
    """Take a wish back from a daemon that is dead, whether or not it had begun; False if one lives, or the wish was carried out."""
    lock = daemon_lock(config)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    try:
        ledger.wishes.release()
        return ledger.wishes.withdraw(wish)
    finally:
        lock.release()


def examine(config: Config) -> None:
    """Look through a ledger whose last run was cut off, before a daemon goes on with it. Raises LedgerFault for a damaged one."""
    examining.examine(Path(config.state.path))


def spool(config: Config, data: bytes) -> str:
    """Keep what came on standard input as a file, so that it can be read again after a crash; its path."""
    folder = Path(config.state.path).parent / drops.SPOOL
    folder.mkdir(parents=True, exist_ok=True)
    return str(drops.store(folder, data))


def _by_library(config: Config, order: Order, *, kind: str, stop: Event, tell: Tell) -> list[RunReport]:
    if order.undo:
        return [_undo(config, order, stop, tell)]
    if order.withdraw:
        return [_withdraw(config, order, stop, tell)]
    if order.cleanup:
        return [_cleanup(config, order, stop)]
    by_library: dict[str, list[Task]] = {}
    for task in _tasks(config, order, stop):
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
        if not run.wrote:
            raise UsageFault(f"{order.undo}: this run wrote nothing; there is nothing to take back")
        name = _library_called(config, ledger.undoings.library_of(run.id), stop)
        with wiring.open_tools(
            config, name, ledger, stop=stop, tell=tell, dry=order.dry_run, offline=True, ask=False
        ) as tools:
            return undo_run(tools, run.id)


def _withdraw(config: Config, order: Order, stop: Event, tell: Tell) -> RunReport:
    """Take a drop back, in the library that it went to. Raises UsageFault where that cannot be, before anything is written."""
    with keeping.ledger_of(config, dry=order.dry_run) as ledger:
        drop = ledger.overlaps.drop_called(order.withdraw)
        instead = ledger.overlaps.drop_called(order.instead) if order.instead else None
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


def _tasks(config: Config, order: Order, stop: Event) -> list[Task]:
    if order.owed_only or order.refresh or order.snapshot or order.rebuild:
        return []
    if wiring.free_mb(config) < config.state.min_free_mb:
        return _no_room(config, order)
    if order.retry:
        return [task for name in config.inbox for task in _held_tasks(config, order, name)]
    if not order.paths:
        names = [order.inbox] if order.inbox else list(config.inbox)
        return [task for name in names for task in _inbox_tasks(config, order, name, stop)]
    if order.watched:
        return [task for path in order.paths if (task := _watched_task(config, order, Path(path)))]
    names_shown = order.names or order.paths
    return [_file_task(config, order, path, shown) for path, shown in zip(order.paths, names_shown, strict=True)]


def _no_room(config: Config, order: Order) -> list[Task]:
    """Too little space to take anything in: the outbox is finished, what is new stays where it is. Who named files is told."""
    message = f"{config.state.path}: less than [state] min_free_mb = {config.state.min_free_mb} is free; nothing new is taken in"
    if order.paths and not order.wait_sources:
        raise StateFault(f"{message}. Make room, then sync again")
    log.warning("%s", message)
    return []


def _inbox_tasks(config: Config, order: Order, name: str, stop: Event) -> list[Task]:
    """What has settled in an inbox; what has not is waited for."""
    _known_inbox(config, name)
    own = config.inbox[name]
    root = Path(own.path)
    if not root.is_dir():
        raise UsageFault(
            f"{root}: the folder of [inbox.{name}] is not there; make it (zotdrop init does) or mend the path"
        )
    wait = wiring.waiting(stop)
    paths = drops.settled(root, own.settle_seconds, now=time.monotonic, wait=wait, patience=SETTLE_PATIENCE)
    paths = drops.only_drops(paths, drops.scan(root)) if own.attachments == "files" else paths
    return [task for path in paths if (task := _watched_task(config, replace(order, inbox=name), path))]


def _watched_task(config: Config, order: Order, file: Path) -> Task | None:
    """A file that was seen in its inbox; one that is gone since, or closed, does not keep the others."""
    try:
        _stay_inside(Path(config.inbox[str(order.inbox)].path), file, file.resolve())
        _check_size(config, file)
        return _task(config, order, str(order.inbox), file, str(file))
    except UsageFault as fault:
        log.warning("%s", fault)
        return None


def _held_tasks(config: Config, order: Order, name: str) -> list[Task]:
    """What lies in an inbox's held/, as if it lay in the inbox."""
    held = Path(config.inbox[name].path) / drops.HELD
    other = order.library and config.inbox[name].library != order.library
    if other or not held.is_dir():
        return []
    files = [file for file in drops.scan(held) if not drops.is_no_export(file)]
    return [_task(config, order, name, file, str(file), root=held) for file in files]


def _file_task(config: Config, order: Order, path: str, shown: str) -> Task:
    file = Path(path).resolve()
    if not file.is_file():
        raise UsageFault(f"{path}: there is no such file" if not file.exists() else f"{path}: this is no file")
    _check_size(config, file)
    return _task(config, order, _inbox_of(config, order, file), file, shown)


def _stay_inside(root: Path, path: Path, file: Path) -> None:
    """Raise UsageFault if a file of an inbox is behind a link by now: what that leads to is no drop, and is never read or moved."""
    if path.is_relative_to(root) and file != root.resolve() / path.relative_to(root):
        raise UsageFault(
            f"{path}: a link stands there now and leads to {file}; what lies in an inbox is taken, links are not"
        )


def _check_size(config: Config, path: Path) -> None:
    if told := _too_large(config, path):
        raise UsageFault(told)


def _too_large(config: Config, path: Path) -> str:
    """What stands against a file of this size, empty if nothing does."""
    try:
        size = path.lstat().st_size / MEGABYTE
    except OSError:  # gone, or not for us: whoever reads it says so
        return ""
    most = config.limits.max_drop_mb
    if size <= most:
        return ""
    return f"{path}: {size:,.0f} MB are more than [limits] max_drop_mb = {most:g} allows; split the file, or raise the limit"


def _task(config: Config, order: Order, inbox: str, file: Path, shown: str, *, root: Path | None = None) -> Task:
    """One file under the rules of its inbox; only a file that was not named by hand is moved afterwards. root: of its subfolder."""
    sources = () if order.no_enrich else None
    drop = drops.take(file, inbox, root or Path(config.inbox[inbox].path))
    rules = wiring.rules(
        config,
        inbox,
        sources=sources,
        collection=order.collection,
        restore=order.restore,
        enrich_wait=None if order.wait_sources else 0.0,
        assigned=reviews.assigned(config, inbox, drop.subfolder, order.review or ""),
    )
    return Task(drop, rules, drops.legible(shown), ours=not order.paths or order.wait_sources)


def _inbox_of(config: Config, order: Order, file: Path) -> str:
    """The inbox whose rules apply: the one that holds the file, else the one named, else the only one or `default`."""
    for name, inbox in config.inbox.items():
        if file.is_relative_to(Path(inbox.path).resolve()):
            return name
    if order.inbox:
        _known_inbox(config, order.inbox)
        return order.inbox
    if len(config.inbox) == 1:
        return next(iter(config.inbox))
    if "default" in config.inbox:
        return "default"
    raise UsageFault(f"{file}: which inbox's rules apply? say --inbox {' or --inbox '.join(config.inbox)}")


def _known_inbox(config: Config, name: str) -> None:
    if name not in config.inbox:
        raise UsageFault(f"there is no [inbox.{name}] in the config; there is {', '.join(config.inbox)}")


def check_names(config: Config, order: Order) -> None:
    """Raise UsageFault for an inbox, library or review that the config does not have, before anything is read."""
    if order.inbox:
        _known_inbox(config, order.inbox)
    if order.library and order.library not in config.library:
        raise UsageFault(f"there is no [library.{order.library}] in the config; there is {', '.join(config.library)}")
    fault = reviews.unknown(config.review, order.review) if order.review else ""
    if fault:
        raise UsageFault(f"--review {order.review}: {fault}")


def worst(reports: Sequence[RunReport], *, strict: bool) -> int:
    """The exit code of several runs: the first that is not 0."""
    return next((code for code in (report.exit_code(strict=strict) for report in reports) if code), 0)
