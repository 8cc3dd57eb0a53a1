"""Drops by the names that people give them: those of the ledger, and files whose bytes came under another name before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sync import drops
from sync.config import Config
from sync.errors import UsageFault, ZotdropError
from sync.state.ledger import Ledger
from sync.state.withdrawals import named


def drop_called(config: Config, ledger: Ledger, name: str) -> int:
    """The drop with this name. Raises UsageFault for none; of a file whose bytes came under another name it says which that is."""
    try:
        return ledger.overlaps.drop_called(name)
    except UsageFault as fault:
        for path in _files(config, name):
            same = _same(ledger, path)
            if same and path.name not in {Path(each).name for _, each in same}:
                raise UsageFault(_says(name, same)) from fault
        raise


def _same(ledger: Ledger, path: Path) -> list[tuple[int, str]]:
    """The drops with the bytes of this file; none if it cannot be read."""
    with suppress(OSError, ZotdropError):
        return ledger.overlaps.with_bytes(drops.take(path, "", path.parent).sha256)
    return []


def _says(name: str, same: list[tuple[int, str]]) -> str:
    drop = ", ".join(f"{named(number)} ({path})" for number, path in same)
    return f"{name}: came with the same bytes as a drop before it, and is no drop of its own; these are {drop}"


def _files(config: Config, name: str) -> Iterator[Path]:
    """The file itself, and those of that name that lie in an inbox or were put away there."""
    if Path(name).is_file():
        yield Path(name)
    for inbox in config.inbox.values():
        if Path(name).name == name:
            yield from (path for path in Path(inbox.path).rglob("*") if path.name == name and path.is_file())
