"""Whenever a member's desktop comes online while a group's library is written, it gets its changes up before it gives up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sync.config.options import WriteRules
from sync.libraries.base import Library
from sync.libraries.paced import Pace, Paced
from tests.laws.desktop_replica import Clock, Desktop

USUAL = WriteRules()
NONE = Pace(USUAL.burst_seconds, 0.0)
MET: Counter[str] = Counter()


class Shelf:
    """A library of which only the version counts. A write arrives in its middle."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds, self.version = clock, seconds, 1

    def write(self, batch: Sequence[object]) -> Sequence[Any]:
        self.clock.advance(self.seconds / 2)
        self.version += len(batch)
        self.clock.advance(self.seconds / 2)
        return []


def written(pace: Pace, *, writing: float, batches: int, online: float, download: float, prepare: float) -> Desktop:
    """A desktop that comes online so many seconds after a long writing began, when the writing is over and it, too."""
    clock = Clock()
    shelf = Shelf(clock, writing)
    library = Paced(cast("Library", shelf), pace, now=clock.now, wait=clock.wait)
    desktop = Desktop(lambda: shelf.version, lambda: None, download, prepare, known=1)
    clock.start(desktop.sync(), online)
    for _ in range(batches):
        library.write([object()] * 50)  # type: ignore[list-item]
    clock.advance(2_000)
    return desktop


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(
    writing=st.floats(0.3, 4.0),
    online=st.floats(0.0, 110.0),
    download=st.floats(0.1, 5.0),
    prepare=st.floats(0.1, 2.4),
)
def _never_three(writing: float, online: float, download: float, prepare: float) -> None:
    pace = Pace(USUAL.burst_seconds, USUAL.pause_seconds)
    desktop = written(pace, writing=writing, batches=90, online=online, download=download, prepare=prepare)
    MET["conflicts in a row: " + str(desktop.in_a_row)] += 1
    MET["a download began again"] += desktop.restarts
    assert desktop.done
    assert not desktop.gave_up
    assert desktop.in_a_row < 3
    bare = written(NONE, writing=writing, batches=90, online=online, download=download, prepare=prepare)
    MET["without pauses it gives up"] += bare.gave_up
    MET["without pauses it waits for the end"] += bare.restarts > 3


def test_a_desktop_never_meets_three_conflicts_in_a_row() -> None:
    MET.clear()
    _never_three()
    met = (*(f"conflicts in a row: {n}" for n in range(3)), "a download began again", "without pauses it gives up")
    assert {case: MET[case] for case in met if not MET[case]} == {}


def a_quick_desktop(pace: Pace) -> list[Desktop]:
    """Desktops that are as quick as the writing, one for each half second of a burst and its pause."""
    return [written(pace, writing=2.0, batches=90, online=half / 2, download=0.1, prepare=2.0) for half in range(100)]


@pytest.mark.parametrize(
    "pace",
    [NONE, Pace(10_000.0, USUAL.pause_seconds), Pace(60.0, USUAL.pause_seconds), Pace(USUAL.burst_seconds, 1.0)],
    ids=["no-pauses", "no-end-of-a-burst", "long-bursts", "short-pauses"],
)
def test_other_paces_make_desktops_give_up(pace: Pace) -> None:
    assert any(desktop.gave_up for desktop in a_quick_desktop(pace))
    assert not any(desktop.gave_up for desktop in a_quick_desktop(Pace(USUAL.burst_seconds, USUAL.pause_seconds)))
