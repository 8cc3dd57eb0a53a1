"""Keeps one daemon process alive, as a service manager would, and looks at it from outside: how it ends, its memory, its threads."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.scene import ROOT

RESTART = 0.3  # seconds until one that has ended by itself is started again
NEVER = float("inf")


@dataclass(slots=True)
class Life:
    """One process from start to end. rss: (age in seconds, kilobytes).  up: whether it ever watched its inboxes."""

    process: subprocess.Popen[bytes]
    began: float
    log_from: int
    up: bool = False
    rss: list[tuple[float, int]] = field(default_factory=list)


class Keeper:
    """Starts `command` again whenever it has ended. full: whether the disk is full just now (then it may end by itself)."""

    def __init__(self, command: Sequence[str], env: dict[str, str], log: Path) -> None:
        self.command, self.env, self.log = list(command), env, log
        self.ends: Counter[str] = Counter()
        self.complaints: list[str] = []
        self.slowest_stop = 0.0
        self.peak_threads = 0
        self.full = self.was_full = False
        self.life = self._start()
        self._again = 0.0

    def watch(self) -> None:
        """One look at the process; one that is gone comes again."""
        life = self.life
        if life.process.poll() is not None:
            if not self._again:
                self._ended_by_itself()
                self._again = time.monotonic() + RESTART
            elif self._again != NEVER and time.monotonic() >= self._again:
                self.start_again()
            return
        self._again = 0.0
        self.was_full = self.was_full or self.full
        life.up = life.up or b"watching " in self._said(life)
        facts = self._facts()
        if facts.get("VmRSS"):
            life.rss.append((time.monotonic() - life.began, facts["VmRSS"]))
            self.peak_threads = max(self.peak_threads, facts["Threads"])

    def kill(self) -> None:
        """SIGKILL, wherever it is."""
        if self.life.process.poll() is None:
            self.life.process.kill()
            self.life.process.wait()
            self.ends["SIGKILL"] += 1
            self._again = NEVER

    def stop(self, patience: float = 60.0) -> None:
        """SIGTERM; it ends with 0 and in good time."""
        process, began = self.life.process, time.monotonic()
        if process.poll() is not None:
            return
        may_fail = (
            self.full or self.was_full or not self.life.up
        )  # before its handlers stand SIGTERM ends it as it ends any process
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            self.complaints.append(f"SIGTERM: still there after {patience:.0f} s")
            process.kill()
            code = process.wait()
        self.slowest_stop = max(self.slowest_stop, time.monotonic() - began)
        self.ends["SIGTERM"] += 1
        self._again = NEVER
        if code and not may_fail:
            self.complaints.append(f"SIGTERM: ended with {code}")

    def start_again(self) -> None:
        """A new process after the one that has ended."""
        self.life, self._again = self._start(), 0.0
        self.was_full = self.full

    def threads(self) -> int:
        return self._facts().get("Threads", 0)

    def zombies(self) -> list[str]:
        """Processes that the daemon started and has not buried."""
        children = Path(f"/proc/{self.life.process.pid}/task").glob("*/children") if self._lives() else ()
        named = (number for file in children for number in file.read_text().split())
        return [number for number in named if _state(number) == "Z"]

    def _lives(self) -> bool:
        return self.life.process.poll() is None

    def _start(self) -> Life:
        size = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=ROOT, env=self.env)
        return Life(process, time.monotonic(), size)

    def _said(self, life: Life) -> bytes:
        with self.log.open("rb") as log:
            log.seek(life.log_from)
            return log.read(4000)

    def _ended_by_itself(self) -> None:
        code = self.life.process.returncode
        full = self.full or self.was_full
        self.ends[f"by itself{' on a full disk' if full else ''}"] += 1
        if not full or code < 0:
            self.complaints.append(f"the daemon ended by itself with {code}")

    def _facts(self) -> dict[str, int]:
        try:
            lines = Path(f"/proc/{self.life.process.pid}/status").read_text().splitlines()
        except OSError:
            return {}
        found = (line.split() for line in lines)
        return {words[0].rstrip(":"): int(words[1]) for words in found if words and words[0] in {"VmRSS:", "Threads:"}}


def _state(number: str) -> str:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
