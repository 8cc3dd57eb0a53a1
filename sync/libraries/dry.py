"""A library that is read but never written: every write is answered as if it had landed."""

from __future__ import annotations

from collections.abc import Sequence

from sync.core.keys import derived_key
from sync.libraries.base import Answer, File, FileAnswer, Kept, Receipt, Write
from sync.libraries.wrapped import Wrapped


class DryLibrary(Wrapped):
    """Wraps a real library for a dry run, which tells about a missing right as well."""

    def collection(self, path: Sequence[str]) -> str:
        """A key that stands for the collection; nothing is made."""
        return derived_key("dry", *path)

    def write(self, batch: Sequence[Write]) -> Sequence[Answer]:
        """Every object lands, nowhere."""
        return [Receipt(write.key, write.version + 1, write.data) for write in batch]

    def upload(self, file: File) -> FileAnswer:  # noqa: ARG002 (nothing is read of it)
        """The file is taken, and goes nowhere."""
        return Kept.STORED
