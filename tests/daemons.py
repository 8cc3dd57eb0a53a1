"""The service as a real process, for tests that drive it with real signals."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from tests.scene import ROOT, Scene

LONGEST = 30.0  # seconds that anything here may take
SOON = 12.0  # seconds for what takes less than five on a machine that has nothing else to do


def until(claim: Callable[[], bool], what: str) -> None:
    """Look until it is so; the pause is an event's, so that nothing here sleeps blindly for longer than it has to."""
    pause = Event()
    for _ in range(int(LONGEST / 0.05)):
        if claim():
            return
        pause.wait(0.05)
    raise AssertionError(f"never came true: {what}")


def log_of(stage: Scene) -> str:
    """What the service has said so far."""
    return (stage.folder / "daemon.log").read_text(errors="backslashreplace")


@contextmanager
def daemon(
    stage: Scene,
    words: Sequence[str] = ("run",),
    before: Sequence[str] = (),
    said: str = "watching",
    **environment: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """`zotdrop run` (or other words) once it has `said` that; killed in the end if it still lives.

    before: a module and its arguments that run the command instead.
    """
    command = stage.command(*words)
    if before:
        command = [sys.executable, "-m", *before, "-c", str(stage.config), *words]
    with (stage.folder / "daemon.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=stage.env(**environment))
        try:
            until(lambda: said in log_of(stage), f"the service says {said!r}")
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(LONGEST)


def ends(process: subprocess.Popen[bytes], number: signal.Signals, within: float = LONGEST) -> int:
    """What the process ends with after this signal."""
    process.send_signal(number)
    return process.wait(within)


class Listener:
    """Who listens as systemd does."""

    def __init__(self, path: Path) -> None:
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.bind(str(path))

    def heard(self) -> list[str]:
        """All that was said since the last time."""
        self._wire.setblocking(False)
        found = []
        while True:
            try:
                found.append(self._wire.recv(65536).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._wire.close()
