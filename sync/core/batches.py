"""Things in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """So many at a time, the last batch what is left; as `itertools.batched`, which Python has from 3.12 on."""
    walk = iter(things)
    while batch := list(islice(walk, size)):
        yield batch
