"""What systemd hears of us: ready, reloading, stopping, a status line, and that we live."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

FEED_EVERY = 10.0  # seconds between two signs of life where systemd names no time


def notify(state: str) -> None:
    """Tell systemd how we are (sd_notify); does nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.settimeout(1.0)  # a listener that hangs must not hang us
        wire.connect("\0" + address[1:] if address.startswith("@") else address)
        wire.sendall(state.encode())


def reloading() -> None:
    """The config is read again; READY has to follow."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


def feed_every(environ: Mapping[str, str] = os.environ) -> float:
    """Seconds between two signs of life: a third of what systemd waits for (WATCHDOG_USEC), ten at the most."""
    given = environ.get("WATCHDOG_USEC", "")
    return min(FEED_EVERY, int(given) / 3_000_000) if given.isdecimal() and int(given) else FEED_EVERY
