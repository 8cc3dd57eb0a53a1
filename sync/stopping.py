"""How a stop reaches those who wait: a wish that all work heeds, and connections that can be cut while somebody waits at them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakMethod, WeakSet

Cut = Callable[[], None]


class Stop(threading.Event):
    """A wish to stop. `hurry` also ends the waiting for answers: those who wait register how they are cut off.

    heard: monotonic seconds at which the work last looked whether it shall stop, which is a sign of life.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._cuts: list[WeakMethod[Cut]] = []
        self._guard = threading.Lock()
        self.heard = now()

    def is_set(self) -> bool:
        """Whether a stop was asked for."""
        self.heard = self._now()
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """As every event; who waits lives."""
        self.heard = self._now()
        try:
            return super().wait(timeout)
        finally:
            self.heard = self._now()

    def cuts(self, cut: Cut) -> None:
        """Have this method of an object called when it must be quick, as long as the object lives."""
        with self._guard:
            self._cuts = [known for known in self._cuts if known() is not None]
            self._cuts.append(WeakMethod(cut))

    def hurry(self) -> None:
        """Stop, and cut off whoever waits for an answer."""
        self.set()
        with self._guard:
            found = [known() for known in self._cuts]
        for cut in found:
            if cut is not None:
                cut()


def cut_with(stop: threading.Event, door: object) -> None:
    """Have the connections of this client cut when the stop is in a hurry; nothing where one of both knows no such thing."""
    cut = getattr(door, "cut", None)
    if isinstance(stop, Stop) and cut is not None:
        stop.cuts(cut)


class Wires:
    """The open connections of one HTTP client. Once cut, every wait at them ends with a fault, and so does every new one."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._is_cut = False

    def trace(self, event: str, facts: Mapping[str, Any]) -> None:
        """To be handed to the client as the extension `trace` of each request."""
        if not event.endswith(("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")):
            return
        wire = facts["return_value"].get_extra_info("socket")
        if not isinstance(wire, socket.socket):
            return
        with self._guard:
            self._sockets.add(wire)
            late = self._is_cut
        if late:
            _shut(wire)

    def cut(self) -> None:
        """End all of them, now and from now on. Safe to call from any thread."""
        with self._guard:
            self._is_cut = True
            found = list(self._sockets)
        for wire in found:
            _shut(wire)


def _shut(wire: socket.socket) -> None:
    """A shutdown wakes who reads there; closing would not. Of a secured connection the lines below are shut, without a farewell."""
    with suppress(OSError, ValueError):
        socket.socket.shutdown(wire, socket.SHUT_RDWR)
