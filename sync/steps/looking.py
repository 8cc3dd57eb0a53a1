"""What changed in the library since we last looked: the snapshot follows it, and a library that looks wrong stops everything."""

from __future__ import annotations

from collections.abc import Mapping

from sync.errors import Interrupted, LimitReached
from sync.libraries.base import NOTHING
from sync.steps.tools import Tools

_MANY = 10  # items that a library must have lost before its emptiness is odd


def look(tools: Tools) -> None:
    """Read what changed. Raises LimitReached for a library that has lost all it had."""
    tools.library.check()
    snapshot = tools.snapshot
    if snapshot.unread:
        _read_whole(tools)
        _refuse_the_emptied(tools)
        return
    since = snapshot.version
    newest, _ = _read(tools, since, NOTHING if since else snapshot.versions())
    if newest < snapshot.newest():  # set back, as by a backup: what it does not show is no longer there
        newest, seen = _read(tools, 0, NOTHING)
        snapshot.take([], snapshot.versions().keys() - seen)
    snapshot.reached(newest)
    _refuse_the_emptied(tools)


def _read_whole(tools: Tools) -> None:
    """Every item and every deletion, whatever was known: what the library does not show is no longer there."""
    newest, seen = _read(tools, 0, NOTHING)
    with tools.ledger.transaction():
        known = {key for key, version in tools.snapshot.versions().items() if version}
        tools.snapshot.take([], known - seen)  # what is only planned was never there
        tools.snapshot.whole(newest)


def _read(tools: Tools, since: int, known: Mapping[str, int]) -> tuple[int, set[str]]:
    """Take in what changed after `since`: the version of the library, and the keys that came."""
    newest, seen = since, set[str]()
    for delta in tools.library.changes(since, known):
        tools.snapshot.take([(item.key, item.version, item.data) for item in delta.items], delta.gone)
        if not since:  # what was deleted before we ever looked: an item of ours may be among it
            tools.snapshot.bury(delta.gone)
        seen.update(item.key for item in delta.items)
        newest = delta.version
        if tools.stop():
            raise Interrupted("stopped while reading the library; the next run reads on")
    return newest, seen


def _refuse_the_emptied(tools: Tools) -> None:
    """Nothing is written to a library in which nothing is left of many items, unless a person says that this is right."""
    lost = 0 if tools.snapshot.count() else tools.snapshot.lost()
    if tools.accept_empty:
        tools.snapshot.tell_once(f"empty:{lost}")
    if lost < _MANY or tools.snapshot.told(f"empty:{lost}"):
        return
    raise LimitReached(
        f"{tools.library.identity}: nothing is left of {lost} items that were there before; is it the right library? Nothing"
        " was written. If somebody emptied it on purpose, say so once: zotdrop sync --accept-empty"
    )
