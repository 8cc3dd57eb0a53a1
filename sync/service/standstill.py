"""Libraries that refused us are left alone for a while: a right that is missing does not come by asking."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sync import wiring
from sync.config import Config

log = logging.getLogger("zotdrop.service")


@dataclass(frozen=True, slots=True)
class Standstill:
    """A library that refused us: when it is looked at again, and the file of its key as it was then."""

    until: float
    key: tuple[int, int]


class Standstills:
    """Which libraries stand still, by name. now: monotonic seconds.  All of it can be lost."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._stopped: dict[str, Standstill] = {}

    def begin(self, config: Config, library: str) -> None:
        """Nothing is asked of this library for a while."""
        seconds = config.schedule.refused
        self._stopped[library] = Standstill(self._now() + seconds, _key_stamp(config, library))
        log.error(
            "library %s is stopped: nothing is asked of it for %g minutes, or until its key changes or `zotdrop check` finds it mended",
            library,
            seconds / 60,
        )

    def lasts(self, config: Config, library: str) -> bool:
        """Whether this library refused us lately, its key is the same, and no command beside has found it mended since."""
        stop = self._stopped.get(library)
        return bool(
            stop and self._now() < stop.until and _key_stamp(config, library) == stop.key and _is_noted(config, library)
        )

    def ended(self, library: str) -> bool:
        """Let go of a standstill that lasts no longer; whether there was one."""
        return self._stopped.pop(library, None) is not None

    def forget(self) -> None:
        """Look at every library again, as after a change of the config."""
        self._stopped.clear()


def _is_noted(config: Config, library: str) -> bool:
    ledger = wiring.open_ledger(config)
    try:
        return library in ledger.stops.all()
    finally:
        ledger.close()


def _key_stamp(config: Config, library: str) -> tuple[int, int]:
    """What changes with the file that holds the library's key; a key from elsewhere is not looked at."""
    own = config.library.get(library)
    key = getattr(own, "api_key", None)
    if not key or key.kind != "file":
        return (0, 0)
    try:
        facts = Path(key.value).stat()
    except OSError:
        return (0, 0)
    return (facts.st_size, facts.st_mtime_ns)
