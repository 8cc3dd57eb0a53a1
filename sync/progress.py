"""How far long work is: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[str, int, int], None]

EVERY = 5.0  # seconds between two plain lines


@contextmanager
def silent() -> Iterator[Tell]:
    """Nothing."""
    yield lambda _text, _done, _total: None


@contextmanager
def lines(say: Callable[[str], None], now: Callable[[], float]) -> Iterator[Tell]:
    """A plain line at most every few seconds."""
    last = now()

    def tell(text: str, done: int, total: int) -> None:
        nonlocal last
        if now() - last >= EVERY:
            last = now()
            say(f"{text}: {done:,} of {total:,}" if total else f"{text}: {done:,}")

    yield tell


@contextmanager
def bar() -> Iterator[Tell]:
    """A bar of rich, on stderr, that goes away when the work is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("starting", total=None)

        def tell(text: str, done: int, total: int) -> None:
            shown.update(task, description=text, completed=done, total=total or None)

        yield tell
