"""A library around another one: what a kind of wrapper does not change goes to the real one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sync.libraries.base import NOTHING, Answer, Delta, File, FileAnswer, Item, Library, Write


class Wrapped:
    """Every call as the real library answers it."""

    def __init__(self, real: Library) -> None:
        self._real = real

    @property
    def identity(self) -> str:
        """As the real one: no request is needed for it."""
        return self._real.identity

    @property
    def requests(self) -> int:
        """The requests that were sent."""
        return self._real.requests

    @property
    def lacks(self) -> Mapping[str, frozenset[str]]:
        """As the real one: no request is needed for it."""
        return self._real.lacks

    @property
    def takes_files(self) -> bool:
        """As the real one: no request is needed for it."""
        return self._real.takes_files

    def check(self) -> None:
        """As the real one."""
        self._real.check()

    def changes(self, since: int, known: Mapping[str, int] = NOTHING) -> Iterator[Delta]:
        """As the real one."""
        return self._real.changes(since, known)

    def collection(self, path: Sequence[str]) -> str:
        """As the real one."""
        return self._real.collection(path)

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        """As the real one."""
        return self._real.write(batch)

    def upload(self, file: File) -> FileAnswer:
        """As the real one."""
        return self._real.upload(file)

    def items(self) -> Iterator[Item]:
        """As the real one."""
        return self._real.items()

    def close(self) -> None:
        """Close the real one."""
        self._real.close()
