"""The right to write: looked at on purpose, whatever was found before."""

from __future__ import annotations

from threading import Event

from sync import wiring
from sync.config import Config
from sync.steps.tools import instant


def check(config: Config, name: str) -> str:
    """The identity of the library `name`, which may be written. Raises what stands against it.

    A key that was refused before is tried once more; after a success neither that nor a stop of the library is remembered.
    """
    library = wiring.open_library(config, name, Event(), again=True)
    try:
        library.check()
        identity = library.identity
    finally:
        library.close()
    ledger = wiring.open_ledger(config)
    try:
        ledger.stops.note(name, instant(wiring.utc_now()), "")
    finally:
        ledger.close()
    return identity
