"""What begins by itself, and when: the table of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Protocol

from sync.config import Config
from sync.orders import Order
from sync.service.systemd import feed_every
from sync.service.timetable import Job

ORDERS_EVERY = 10.0  # seconds between two looks for orders from beside, where nothing else told of one
BULLETIN_EVERY = 10.0  # seconds between two bulletins for who asks from beside


class Works(Protocol):
    """What the jobs do."""

    def look(self, name: str) -> None:
        """One look at an inbox."""
        ...

    def run_inbox(self, name: str) -> None:
        """Wait for what lies in an inbox to settle, and work it off."""
        ...

    def for_each_library(self, order: Order) -> None:
        """Carry an order out for every library."""
        ...

    def carry(self, order: Order) -> None:
        """Carry out an order that no library is asked for."""
        ...

    def take_orders(self) -> None:
        """Carry out what commands beside have handed over."""
        ...

    def fill_owed(self) -> None:
        """Ask for what services still owe."""
        ...

    def beat(self) -> None:
        """Write down how the service stands."""
        ...

    def feed(self) -> None:
        """Tell the watchdog that we live."""
        ...


def jobs_of(works: Works, config: Config) -> Iterator[Job]:
    """One job per inbox, one for each plan of [schedule], and what always goes on, in quiet hours too."""
    for name, inbox in config.inbox.items():
        work = partial(works.run_inbox if inbox.schedule else works.look, name)
        yield Job(f"inbox-{name}", work, inbox.schedule, inbox.poll_seconds)
    plans = {  # what is done by plan for each library; another kind of order gets its line here
        "refresh": (config.schedule.refresh, Order(refresh=True)),
        "snapshot": (config.schedule.snapshot, Order(snapshot=True)),
    }
    yield from (
        Job(name, partial(works.for_each_library, order), plan) for name, (plan, order) in plans.items() if plan
    )
    if config.schedule.cleanup:
        yield Job("cleanup", partial(works.carry, Order(cleanup=True)), config.schedule.cleanup)
    yield Job("owed", works.fill_owed, every=config.schedule.owed)
    yield Job("orders", works.take_orders, every=ORDERS_EVERY, always=True)
    yield Job("bulletin", works.beat, every=BULLETIN_EVERY, always=True)
    yield Job("watchdog", works.feed, every=feed_every(), always=True)
