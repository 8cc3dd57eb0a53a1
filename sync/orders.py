"""An order is what one sync was asked to do; carrying it out gives one report per library it touches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

from filelock import FileLock, Timeout

from sync import drops, wiring
from sync.config import Config
from sync.errors import ConfigFault, Locked, Outage, StateFault, UsageFault, ZotdropError
from sync.report import RunReport
from sync.run import refresh_library, see_library, sync_drops, undo_run
from sync.state.ledger import Ledger
from sync.steps.tools import Task, instant

log = logging.getLogger("zotdrop.orders")

Tell = Callable[[str, int, int], None]

SETTLE_PATIENCE = 600.0  # seconds: a file that is still being written after this is left for the next time


@dataclass(frozen=True, slots=True)
class Order:
    """What a sync was asked to do.

    paths: files to read; none: what lies in the inboxes (or in the one named).  names: how they are called in reports.
    wait_sources: whether records may wait for a source that is away (the daemon does, a manual sync does not).
    accept_empty: write even to a library that has lost all its items.
    owed_only: read nothing, only fill what earlier runs are owed.  refresh: read nothing, look at the library's items again.
    snapshot: read nothing, see what changed in the library.
    undo: read nothing, take back what this run wrote.
    """

    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    inbox: str | None = None
    library: str | None = None
    collection: str | None = None
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
        return _by_library(config, order, kind=kind, stop=stop, tell=tell)
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


def spool(config: Config, data: bytes) -> str:
    """Keep what came on standard input as a file, so that it can be read again after a crash; its path."""
    folder = Path(config.state.path).parent / "spool"
    folder.mkdir(parents=True, exist_ok=True)
    return str(drops.store(folder, data))


def _by_library(config: Config, order: Order, *, kind: str, stop: Event, tell: Tell) -> list[RunReport]:
    if order.undo:
        return [_undo(config, order, stop, tell)]
    by_library: dict[str, list[Task]] = {}
    for task in _tasks(config, order, stop):
        by_library.setdefault(order.library or config.inbox[task.rules.inbox].library, []).append(task)
    if not by_library:
        names = {inbox.library for inbox in config.inbox.values()}
        by_library = {name: [] for name in sorted({order.library} if order.library else names)}
    ledger = wiring.open_ledger(config)
    try:
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
                if order.snapshot:
                    reports.append(see_library(tools))
                elif order.refresh:
                    reports.append(refresh_library(tools, wiring.foreign_sources(config, library)))
                else:
                    reports.append(sync_drops(tools, tasks, kind=kind))
            if not order.dry_run:
                _note_stop(ledger, library, reports[-1])
        return reports
    finally:
        ledger.close()


def _undo(config: Config, order: Order, stop: Event, tell: Tell) -> RunReport:
    """Take a run back, in the library that it wrote to. Raises UsageFault where there is no such run or library."""
    ledger = wiring.open_ledger(config)
    try:
        run = ledger.undoings.find(order.undo)
        if run is None:
            raise UsageFault(f"{order.undo}: there is no such run; zotdrop history shows what there is")
        if not run.wrote:
            raise UsageFault(f"{order.undo}: this run wrote nothing; there is nothing to take back")
        name = _library_called(config, ledger.undoings.library_of(run.id), stop)
        with wiring.open_tools(
            config, name, ledger, stop=stop, tell=tell, dry=order.dry_run, offline=True, ask=False
        ) as tools:
            return undo_run(tools, run.id)
    finally:
        ledger.close()


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
    if order.owed_only or order.refresh or order.snapshot:
        return []
    if wiring.free_mb(config) < config.state.min_free_mb:
        return _no_room(config, order)
    if not order.paths:
        names = [order.inbox] if order.inbox else list(config.inbox)
        return [task for name in names for task in _inbox_tasks(config, order, name, stop)]
    if order.watched:
        return [task for path in order.paths if (task := _watched_task(config, order, str(order.inbox), Path(path)))]
    names_shown = order.names or order.paths
    return [_file_task(config, order, path, shown) for path, shown in zip(order.paths, names_shown, strict=True)]


def _no_room(config: Config, order: Order) -> list[Task]:
    """Too little space to take anything in: what was begun is finished, what is new stays where it is."""
    message = f"{config.state.path}: less than [state] min_free_mb = {config.state.min_free_mb} is free; nothing new is taken in"
    if order.paths:
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
    if order.wait_sources:  # nobody is there to mend a single file's rights
        return [task for path in paths if (task := _watched_task(config, order, name, path))]
    return [_task(config, order, name, path, str(path)) for path in paths]


def _watched_task(config: Config, order: Order, inbox: str, file: Path) -> Task | None:
    """A file that was seen in its inbox; one that is gone since, or closed, does not keep the others."""
    try:
        return _task(config, order, inbox, file, str(file))
    except UsageFault as fault:
        log.warning("%s", fault)
        return None


def _file_task(config: Config, order: Order, path: str, shown: str) -> Task:
    file = Path(path).resolve()
    if not file.is_file():
        raise UsageFault(f"{path}: there is no such file" if not file.exists() else f"{path}: this is no file")
    return _task(config, order, _inbox_of(config, order, file), file, shown)


def _task(config: Config, order: Order, inbox: str, file: Path, shown: str) -> Task:
    """One file under the rules of its inbox; only a file that was not named by hand is moved afterwards."""
    sources = () if order.no_enrich else None
    rules = wiring.rules(
        config,
        inbox,
        sources=sources,
        collection=order.collection,
        restore=order.restore,
        enrich_wait=None if order.wait_sources else 0.0,
    )
    drop = drops.take(file, inbox, Path(config.inbox[inbox].path))
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
    """Raise UsageFault for an inbox or library that the config does not have, before anything is read."""
    if order.inbox:
        _known_inbox(config, order.inbox)
    if order.library and order.library not in config.library:
        raise UsageFault(f"there is no [library.{order.library}] in the config; there is {', '.join(config.library)}")


def worst(reports: Sequence[RunReport], *, strict: bool) -> int:
    """The exit code of several runs: the first that is not 0."""
    return next((code for code in (report.exit_code(strict=strict) for report in reports) if code), 0)
