"""A member's desktop in the shared library: it goes offline, changes items, and uploads later, against what is there by then."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.laws.desktop_replica import Desktop
from tests.laws.shared_library import SharedLibrary

FIELDS = ("volume", "publisher", "title")
picks, fields = st.integers(0, 5), st.sampled_from(FIELDS)


class WithDesktop(RuleBasedStateMachine):
    """The rules of the desktop; what it uploads is a person's, from the moment on at which it arrives."""

    library: SharedLibrary
    met: Counter[str]
    edited: set[str]

    def __init__(self) -> None:
        super().__init__()
        self.desktop: Desktop | None = None
        self.local: dict[tuple[str, str], str] = {}
        self.online = False
        self.written = 0

    @precondition(lambda self: self.desktop is None and self.alive())
    @rule(pick=picks, name=fields)
    def desktop_goes_offline(self, pick: int, name: str) -> None:
        self.desktop, self.online, self.local = self.library.desktop(self._upload), False, {}
        self.desktop_edits(pick, name)

    @precondition(lambda self: self.desktop is not None and self.alive())
    @rule(pick=picks, name=fields)
    def desktop_edits(self, pick: int, name: str) -> None:
        self.written += 1
        self.local[self.pick(pick), name] = f"Desk {name} {self.written}"

    @precondition(lambda self: self.desktop is not None and not self.online)
    @rule(after=st.floats(0.0, 12.0))
    def desktop_comes_online(self, after: float) -> None:
        assert self.desktop is not None
        self.online = True
        self.library.clock.start(self.desktop.sync(), after)

    @rule(seconds=st.sampled_from((3.0, 15.0, 90.0)))
    def time_passes(self, seconds: float) -> None:
        self.library.clock.advance(seconds)

    @invariant()
    def the_desktop_does_not_give_up(self) -> None:
        assert self.desktop is None or not self.desktop.gave_up
        assert self.desktop is None or self.desktop.in_a_row < 3

    def _upload(self) -> None:
        """Its changes, over what the items are by now; what was taken away meanwhile stays away."""
        assert self.desktop is not None
        items = self.library.items()
        for (key, name), value in self.local.items():
            if key in items and not items[key].get("deleted"):
                self.library.person_writes(key, **{name: value})
                self.note(key, name, value)
                self.edited.add(key)
                self.met["a desktop uploaded later"] += 1
        self.met["a desktop met what others had written"] += self.desktop.expected
        self.met["conflict windows of a desktop"] += self.desktop.in_a_row
        self.met["a download of a desktop began again"] += self.desktop.restarts
        self.desktop = None

    @abstractmethod
    def alive(self) -> list[str]: ...
    @abstractmethod
    def pick(self, number: int) -> str: ...
    @abstractmethod
    def note(self, key: str, name: str, value: Any) -> None: ...
