"""The search for rings is put off, and goes on as before."""

from __future__ import annotations

import gc

import pytest

from sync.core.rings import few_rings, no_rings


def test_nothing_is_searched_meanwhile_and_everything_afterwards() -> None:
    with no_rings():
        assert not gc.isenabled()
        with no_rings():
            pass
        assert not gc.isenabled()  # one inside another ends nothing
    assert gc.isenabled()


def test_a_fault_inside_leaves_the_search_on() -> None:
    with pytest.raises(LookupError), no_rings():
        raise LookupError
    assert gc.isenabled()


def test_few_are_searched_seldom_and_then_as_often_as_before() -> None:
    before = gc.get_threshold()
    with few_rings(90_000):
        assert gc.get_threshold() == (90_000, *before[1:])
    assert gc.get_threshold() == before
