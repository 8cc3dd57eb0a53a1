"""Decided works to the library in full requests, however few of them are decided at a time."""

from __future__ import annotations

from collections.abc import Callable

from sync.libraries.base import BATCH, Library
from sync.state.outbox import Post
from sync.steps.deciding import Decided
from sync.steps.writing import Sent, send


def full_writes(library: Library, stop: Callable[[], bool]) -> Callable[[Decided], Sent]:
    """A stage that writes what fills a request. What is left over goes with the next piece; at the end it lies in the outbox."""
    held: list[Post] = []

    def work(decided: Decided) -> Sent:
        posts = [*held, *decided.posts]
        full = len(posts) - len(posts) % BATCH
        held[:] = posts[full:]
        return send(library, stop, posts[:full], decided.works)

    return work
