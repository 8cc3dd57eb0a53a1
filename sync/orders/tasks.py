"""The drops that an order means: files named by hand, what has settled in an inbox, what was held."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

from sync import drops, wiring
from sync.config import Config, reviews
from sync.errors import StateFault, UsageFault
from sync.orders.order import Order, known_inbox
from sync.steps.tools import Task

log = logging.getLogger("zotdrop.orders")

MEGABYTE = 1_000_000
SETTLE_PATIENCE = 600.0  # seconds: a file that is still being written after this is left for the next time


def tasks_of(config: Config, order: Order, stop: Event) -> list[Task]:
    """The drops that are to be worked off; none for an order that reads nothing, and where there is no room."""
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
        return [task for path in order.paths if (task := _watched_task(config, order, str(order.inbox), Path(path)))]
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
    known_inbox(config, name)
    own = config.inbox[name]
    root = Path(own.path)
    if drops.why_no_folder(str(root)):
        raise UsageFault(no_folder(root, name))
    wait = wiring.waiting(stop)
    paths = drops.settled(root, own.settle_seconds, now=time.monotonic, wait=wait, patience=SETTLE_PATIENCE)
    paths = drops.only_drops(paths, drops.scan(root)) if own.attachments == "files" else paths
    if order.wait_sources:  # nobody is there to mend a single file's rights
        return [task for path in paths if (task := _watched_task(config, order, name, path))]
    return [_task(config, order, name, path, str(path)) for path in paths if _fits(config, path)]


def no_folder(root: Path, inbox: str) -> str:
    """What to say of an inbox that is no folder."""
    wrong = drops.why_no_folder(str(root))
    return f"{root}: the folder of [inbox.{inbox}] {wrong}; make it (zotdrop init does), or mend the path"


def _watched_task(config: Config, order: Order, inbox: str, file: Path) -> Task | None:
    """A file that was seen in its inbox; one that is gone since, or closed, does not keep the others."""
    try:
        _stay_inside(Path(config.inbox[inbox].path), file, file.resolve())
        _check_size(config, file)
        return _task(config, order, inbox, file, str(file))
    except UsageFault as fault:
        log.warning("%s", fault)
        return None


def _held_tasks(config: Config, order: Order, name: str) -> list[Task]:
    """What lies in an inbox's held/, as if it lay in the inbox."""
    held = Path(config.inbox[name].path) / drops.HELD
    files = [file for file in _held_files(config, order, name) if not drops.is_no_export(file)]
    return [replace(_task(config, order, name, file, str(file), root=held), held=True) for file in files]


def passed_over(config: Config, order: Order) -> dict[str, str]:
    """What lies in the inboxes' held/ and is not tried again, and why."""
    files = (file for name in config.inbox for file in _held_files(config, order, name))
    return {str(file): why for file in files if (why := drops.why_no_export(file))}


def _held_files(config: Config, order: Order, name: str) -> list[Path]:
    held = Path(config.inbox[name].path) / drops.HELD
    other = order.library and config.inbox[name].library != order.library
    return [] if other or not held.is_dir() else list(drops.scan(held))


def _file_task(config: Config, order: Order, path: str, shown: str) -> Task:
    file = Path(path).resolve()
    if not file.is_file():
        raise UsageFault(f"{path}: there is no such file" if not file.exists() else f"{path}: this is no file")
    _check_size(config, file)
    inbox = _inbox_of(config, order, file)
    return _task(config, order, inbox, file, shown, root=_root_of(config, inbox, file))


def _root_of(config: Config, inbox: str, file: Path) -> Path:
    """Below what a file has its subfolder: what was put away has the one that it had in its inbox."""
    root = Path(config.inbox[inbox].path)
    away = (root.resolve() / name for name in (drops.DONE, drops.HELD))
    return next((folder for folder in away if file.is_relative_to(folder)), root)


def _stay_inside(root: Path, path: Path, file: Path) -> None:
    """Raise UsageFault if a file of an inbox is behind a link by now: what that leads to is no drop, and is never read or moved."""
    if path.is_relative_to(root) and file != root.resolve() / path.relative_to(root):
        raise UsageFault(
            f"{path}: a link stands there now and leads to {file}; what lies in an inbox is taken, links are not"
        )


def _fits(config: Config, path: Path) -> bool:
    """Whether a file of an inbox is not too large; one that is stays where it is, and the log says so."""
    if told := _too_large(config, path):
        log.error("%s. It stays where it is", told)
    return not told


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
        known_inbox(config, order.inbox)
        return order.inbox
    if len(config.inbox) == 1:
        return next(iter(config.inbox))
    if "default" in config.inbox:
        return "default"
    raise UsageFault(f"{file}: which inbox's rules apply? say --inbox {' or --inbox '.join(config.inbox)}")


def spool(config: Config, data: bytes) -> str:
    """Keep what came on standard input as a file, so that it can be read again after a crash; its path."""
    folder = Path(config.state.path).parent / drops.SPOOL
    folder.mkdir(parents=True, exist_ok=True)
    return str(drops.store(folder, data))
