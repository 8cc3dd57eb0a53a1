"""Work that flows through stages, bounded and in order; some stages in a thread of their own. Knows nothing of what flows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: `work` takes what the step before returned. `apart`: in a thread of its own, one piece at a time."""

    work: Callable[[Any], Any]
    apart: bool = False


@dataclass(slots=True)
class _Post:
    """A stage at work: what waits before it, and what it is doing in its thread."""

    stage: Stage
    pool: ThreadPoolExecutor | None
    queue: deque[Any] = field(default_factory=deque)
    busy: Future[Any] | None = None


def flow(pieces: Iterable[Any], stages: Sequence[Stage], *, ahead: int) -> Iterator[Any]:
    """What comes out of the last stage, in the order in which `pieces` gave it.

    At most `ahead` pieces are under way. Stages that are not `apart`, and `pieces` itself, run in the caller's thread. What a
    stage raises is raised here, after the threads have ended what they were doing.
    """
    with ExitStack() as closing:
        posts = [_Post(stage, _pool(closing) if stage.apart else None) for stage in stages]
        source, under_way, more = iter(pieces), 0, True
        while more or under_way:
            if _room(more=more, under_way=under_way, ahead=ahead):
                try:
                    posts[0].queue.append(next(source))
                    under_way += 1
                except StopIteration:
                    more = False
            out = _advance(posts)
            if out is _IDLE:
                _await(posts, unless=_room(more=more, under_way=under_way, ahead=ahead))
            elif out is not _MOVED:
                under_way -= 1
                yield out


_IDLE, _MOVED = object(), object()


def _room(*, more: bool, under_way: int, ahead: int) -> bool:
    return more and under_way < ahead


def _advance(posts: Sequence[_Post]) -> Any:
    """One step of whichever stage can take one, the last stages first: a finished piece, `_MOVED`, or `_IDLE`."""
    for place in reversed(range(len(posts))):
        post = posts[place]
        if post.busy is not None and post.busy.done():
            future, post.busy = post.busy, None
            return _hand_on(posts, place, future.result())
        if post.busy is None and post.queue:
            piece = post.queue.popleft()
            if post.pool is None:
                return _hand_on(posts, place, post.stage.work(piece))
            here = copy_context()  # so that the thread knows whose work it does
            post.busy = post.pool.submit(here.run, post.stage.work, piece)
            return _MOVED
    return _IDLE


def _hand_on(posts: Sequence[_Post], place: int, piece: Any) -> Any:
    if place + 1 == len(posts):
        return piece
    posts[place + 1].queue.append(piece)
    return _MOVED


def _await(posts: Sequence[_Post], *, unless: bool) -> None:
    """Until some thread has ended its piece; at once if a new piece can be fetched instead."""
    busy = [post.busy for post in posts if post.busy is not None]
    if busy and not unless:
        wait(busy, return_when=FIRST_COMPLETED)


def _pool(closing: ExitStack) -> ThreadPoolExecutor:
    return closing.enter_context(ThreadPoolExecutor(max_workers=1, thread_name_prefix="stage"))
