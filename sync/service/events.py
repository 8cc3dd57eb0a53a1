"""The file system's own events, where it has them: they wake a look that would have come later anyway. Nothing relies on them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sync import drops
from sync.config import Config

log = logging.getLogger("zotdrop.service")

_STEP, _MOST, _PATIENCE = (
    400,
    1_600,
    10_000,
)  # milliseconds: of silence before a group is told, of a group, between two looks at the end


class Events:
    """Tells the name of an inbox in which something happened. stirred: called from a thread of ours."""

    def __init__(self, stirred: Callable[[str], None]) -> None:
        self._stirred = stirred
        self._end = threading.Event()

    def watch(self, config: Config) -> None:
        """Watch the inboxes that need no schedule, and no others any more; those that are not there are left to the polling."""
        self.end()
        roots = {
            str(inbox.path): name
            for name, inbox in config.inbox.items()
            if not inbox.schedule and Path(inbox.path).is_dir()
        }
        if roots:
            self._end = threading.Event()
            work = threading.Thread(target=self._follow, args=(roots, self._end), name="events", daemon=True)
            work.start()

    def end(self) -> None:
        """Nothing is told any more."""
        self._end.set()

    def _follow(self, roots: Mapping[str, str], end: threading.Event) -> None:
        try:
            from watchfiles import watch

            logging.getLogger("watchfiles").setLevel(logging.WARNING)
            unseen = set(roots.values())  # what came before the first event could
            for changes in watch(
                *roots,
                watch_filter=None,
                debounce=_MOST,
                step=_STEP,
                rust_timeout=_PATIENCE,
                yield_on_timeout=True,
                stop_event=end,
                ignore_permission_denied=True,
            ):
                for name in unseen | touched(roots, (path for _, path in changes)):
                    self._stirred(name)
                unseen = set()
        except Exception as fault:  # noqa: BLE001 (whatever it is, polling goes on)
            if not end.is_set():
                log.info("no events of files (%s); the inboxes are looked at every few seconds all the same", fault)


def touched(roots: Mapping[str, str], paths: Iterable[str]) -> set[str]:
    """The inboxes in which these paths lie. roots: their names by folder. What is put away there is no news."""
    found: set[str] = set()
    for path in paths:
        for root, name in roots.items():
            below = Path(path).relative_to(root).parts if Path(path).is_relative_to(root) else ()
            if below and below[0] not in {drops.DONE, drops.HELD}:
                found.add(name)
    return found
