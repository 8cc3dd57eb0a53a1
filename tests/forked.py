"""The command in a process of its own that is forked from one which has read the program already: what it costs is its work alone.

Everything of the process is its own: its environment, folder, files, signals, threads and end. What it shares with others of the
same test worker is the seed of hashes. Where nothing can be forked, or where Python itself is to be set up (PYTHON..., LC_...), the
command is started as a user starts it.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0  # seconds that a command may take


def command(words: Sequence[str], *, data: bytes, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """`python -m sync` with these words and this environment, in the project's folder. Raises TimeoutExpired."""
    own_python = any(
        env.get(name) != os.environ.get(name) for name in env if name.startswith(("PYTHON", "LC_", "LANG"))
    )
    if own_python or not hasattr(os, "fork") or not _FREE.acquire(blocking=False):
        whole = [sys.executable, "-m", "sync", *words]
        return subprocess.run(
            whole, input=data, capture_output=True, timeout=PATIENCE, check=False, cwd=ROOT, env=dict(env)
        )
    try:
        return _forked(words, data, env)
    finally:
        _FREE.release()


_FREE = threading.Lock()
_SERVERS: list[tuple[socket.socket, subprocess.Popen[bytes]]] = []


def _forked(words: Sequence[str], data: bytes, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("in", "out", "err")]
        Path(files[0]).write_bytes(data)
        server = _server()
        server.sendall(json.dumps({"words": list(words), "env": dict(env), "files": files}).encode() + b"\n")
        pid = int(_line(server, PATIENCE))
        try:
            code = int(_line(server, PATIENCE))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            _line(server, PATIENCE)
            raise subprocess.TimeoutExpired(list(words), PATIENCE) from None
        out, err = (Path(file).read_bytes() for file in files[1:])
        return subprocess.CompletedProcess(list(words), code, out, err)


def _server() -> socket.socket:
    """The process that is forked; begun when it is needed first, it ends with the end of its socket."""
    if not _SERVERS:
        ours, theirs = socket.socketpair()
        words = [sys.executable, "-m", "tests.forked", str(theirs.fileno())]
        _SERVERS.append((ours, subprocess.Popen(words, pass_fds=[theirs.fileno()], cwd=ROOT)))
        theirs.close()
        atexit.register(_end)
    return _SERVERS[0][0]


def _end() -> None:
    for ours, process in _SERVERS:
        ours.close()
        process.wait(PATIENCE)


def _line(server: socket.socket, patience: float) -> bytes:
    """A line from the server; it never sends more than one at a time."""
    found, end = b"", time.monotonic() + patience
    while not found.endswith(b"\n"):
        if not select.select([server], [], [], max(0.0, end - time.monotonic()))[0]:
            raise TimeoutError
        part = server.recv(100)
        if not part:
            raise EOFError("the process that is forked has ended")
        found += part
    return found


def _serve(control: socket.socket) -> None:
    """Fork for each line that comes, tell the child's number, and when it has ended, how; the child leaves this function."""
    lines = control.makefile("rb")
    for line in iter(lines.readline, b""):
        pid = os.fork()
        if not pid:
            os.close(control.fileno())
            _become(json.loads(line))
            return
        control.sendall(b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        control.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(wanted: Mapping[str, Any]) -> None:
    for number, (file, flags) in enumerate(zip(wanted["files"], (os.O_RDONLY, _WRITE, _WRITE), strict=True)):
        opened = os.open(file, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(wanted["env"])
    if hasattr(time, "tzset"):
        time.tzset()
    sys.argv = ["zotdrop", *wanted["words"]]


_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC

if __name__ == "__main__":
    import sync

    for module in pkgutil.walk_packages(sync.__path__, "sync."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    from sync.cli import main

    main()
