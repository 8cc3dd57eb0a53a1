"""Python's search for rings of objects, put off while none are made: it walks through all that a large drop holds, again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_rings() -> Iterator[None]:
    """For work that makes many small objects and no rings of them, such as records and their sketches. Nothing is leaked by it."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


@contextmanager
def few_rings(between: int = 50_000) -> Iterator[None]:
    """For long work that makes few: they are looked for after so many new objects, instead of after some hundreds."""
    before = gc.get_threshold()
    gc.set_threshold(max(between, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
