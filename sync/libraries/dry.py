"""A library that is read but never written: every write is answered as if it had landed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sync.core.keys import derived_key
from sync.libraries.base import NOTHING, Answer, Delta, File, FileAnswer, Item, Kept, Library, Receipt, Write


class DryLibrary:
    """Wraps a real library for a dry run."""

    def __init__(self, real: Library) -> None:
        self._real = real
        self.identity = real.identity

    @property
    def requests(self) -> int:
        """The requests that reading took."""
        return self._real.requests

    @property
    def lacks(self) -> Mapping[str, frozenset[str]]:
        """As the real one."""
        return self._real.lacks

    def check(self) -> None:
        """As the real one: a dry run tells about a missing right as well."""
        self._real.check()

    def changes(self, since: int, known: Mapping[str, int] = NOTHING) -> Iterator[Delta]:
        """As the real one."""
        return self._real.changes(since, known)

    def collection(self, path: Sequence[str]) -> str:
        """A key that stands for the collection; nothing is made."""
        return derived_key("dry", *path)

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        """Every object lands, nowhere."""
        return [Receipt(write.key, write.version + 1, write.data) for write in batch]

    @property
    def takes_files(self) -> bool:
        """As the real one."""
        return self._real.takes_files

    def upload(self, file: File) -> FileAnswer:  # noqa: ARG002 (nothing is read of it)
        """The file is taken, and goes nowhere."""
        return Kept.STORED

    def items(self) -> Iterator[Item]:
        """As the real one."""
        return self._real.items()

    def close(self) -> None:
        """Close the real one."""
        self._real.close()
