"""A daemon as a process: what signals do to it, and its end within seconds wherever it is."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from sync.config import Config
from sync.health.server import served
from sync.service.daemon import Daemon
from sync.service.signals import AGAIN, ENDS, Calls, caught
from sync.service.systemd import notify

log = logging.getLogger("zotdrop.service")

TICK = 1.0  # seconds between two looks at the clocks, and for orders
KINDLY = 1.5  # seconds in which work may end by itself after a stop was asked for; then connections are cut
AT_MOST = 4.0  # seconds after which the process ends whatever it is doing: all that matters is in the ledger
_DONE = -1


def serve(config: Config, *, once: bool, again: Callable[[], Config] | None = None) -> int:
    """Run the service under its signals; the exit code.

    SIGTERM and SIGINT end it within AT_MOST seconds.  SIGHUP takes what `again` loads as the config; one that is faulty is told
    and not taken.  Raises Locked if another daemon lives on this state.
    """
    daemon = Daemon(config)
    with caught() as calls:
        return _once(daemon, calls) if once else _run(daemon, calls, again)


def _run(daemon: Daemon, calls: Calls, again: Callable[[], Config] | None) -> int:
    with daemon.alone(), served(daemon.config, daemon.bulletin.state):
        daemon.start()
        while (number := calls.next(TICK)) not in ENDS:
            if number is None:
                daemon.tick()
            elif number == AGAIN and again is not None:
                daemon.read_again(again)
        return _end(daemon, calls, 130 if number == signal.SIGINT else 0)


def _once(daemon: Daemon, calls: Calls) -> int:
    """In a thread of its own, so that this one hears signals whatever that one waits for."""
    ended: list[int | BaseException] = []

    def work() -> None:
        try:
            with daemon.pulse.doing("working off what lies in the inboxes"):
                ended.append(daemon.once())
        except BaseException as fault:  # noqa: BLE001 (raised again in the main thread)
            ended.append(fault)
        calls.put(_DONE)

    with daemon.alone():
        threading.Thread(target=work, name="once", daemon=True).start()
        while (number := calls.next(TICK)) not in (*ENDS, _DONE):
            pass
        if number != _DONE:
            return _end(daemon, calls, 130 if number == signal.SIGINT else 0)
    (end,) = ended
    if isinstance(end, BaseException):
        raise end
    return end


def _end(daemon: Daemon, calls: Calls, code: int) -> int:
    """Stop: kindly, then with connections cut, then by leaving."""
    began = time.monotonic()
    notify("STOPPING=1\nSTATUS=stopping")
    daemon.stop_work()
    if not _rests(daemon, calls, began + KINDLY):
        daemon.stop.hurry()
        if not _rests(daemon, calls, began + AT_MOST):
            _leave(daemon, code)
    return code


def _rests(daemon: Daemon, calls: Calls, until: float) -> bool:
    """Wait for what is under way; whether it ended in time. A second Ctrl-C does not wait."""
    while (left := until - time.monotonic()) > 0:
        if daemon.pulse.rests(min(left, 0.1)):
            return True
        if calls.next(0.001) == signal.SIGINT:
            _leave(daemon, 130)
    return False


def _leave(daemon: Daemon, code: int) -> NoReturn:
    """End the process over the head of what is still under way, as a crash would: the next start goes on from the ledger."""
    log.warning("left in the middle of %s; the next start goes on from there", ", ".join(daemon.pulse.under_way()))
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
