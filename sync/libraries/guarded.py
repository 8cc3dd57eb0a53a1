"""A library whose API key is not sent to a service that refused it before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from sync.errors import KeyRefused
from sync.libraries.base import NOTHING, Answer, Delta, File, FileAnswer, Item, Library, Write
from sync.libraries.wrapped import Wrapped


class Memory(Protocol):
    """What is remembered of the library's key."""

    def refusal(self) -> str:
        """Why the key is not sent, and what to do; empty if it may be sent."""
        ...

    def refused(self, why: str) -> None:
        """The service refused the key; what a person was told."""
        ...

    def accepted(self) -> None:
        """The service took the key."""
        ...


class Guarded(Wrapped):
    """Wraps a library; as long as its key is remembered as refused, nothing is sent and every call raises KeyRefused.

    again: try such a key once more; a `check` that passes lets it be forgotten.
    `check` and `close`, where a refusal is noted, are called by the thread that owns the memory.
    """

    def __init__(self, real: Library, memory: Memory, *, again: bool = False) -> None:
        super().__init__(real)
        self._memory, self._again = memory, again
        self._refusal = "" if again else memory.refusal()
        self._unnoted = ""

    def check(self) -> None:
        """As the real one, and what it says of the key is remembered."""
        try:
            with self._door():
                self._real.check()
        finally:
            self._note()
        if self._again:
            self._memory.accepted()

    def changes(self, since: int, known: Mapping[str, int] = NOTHING) -> Iterator[Delta]:
        """As the real one."""
        with self._door():
            yield from self._real.changes(since, known)

    def collection(self, path: Sequence[str]) -> str:
        """As the real one."""
        with self._door():
            return self._real.collection(path)

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        """As the real one."""
        with self._door():
            return self._real.write(batch)

    def upload(self, file: File) -> FileAnswer:
        """As the real one."""
        with self._door():
            return self._real.upload(file)

    def items(self) -> Iterator[Item]:
        """As the real one."""
        with self._door():
            yield from self._real.items()

    def close(self) -> None:
        """Close the real one, and note a key that was refused in the middle."""
        self._real.close()
        self._note()

    @contextmanager
    def _door(self) -> Iterator[None]:
        if self._refusal:
            raise KeyRefused(self._refusal)
        try:
            yield
        except KeyRefused as fault:
            self._unnoted = str(fault)
            raise

    def _note(self) -> None:
        if self._unnoted:
            self._memory.refused(self._unnoted)
            self._unnoted = ""
