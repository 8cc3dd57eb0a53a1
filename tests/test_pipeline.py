"""Stages: bounded, in order, in threads where they are told so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

import sync.pipeline as module
from sync.pipeline import Stage, flow


def test_pieces_come_out_in_order_through_all_stages() -> None:
    stages = [
        Stage(lambda n: n + 1),
        Stage(lambda n: n * 2, apart=True),
        Stage(lambda n: n - 1, apart=True),
        Stage(str),
    ]
    assert list(flow(range(50), stages, ahead=4)) == [str((n + 1) * 2 - 1) for n in range(50)]


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_no_more_than_so_many_pieces_are_under_way(ahead: int) -> None:
    begun, ended, most = 0, 0, 0
    full = threading.Event()

    def pieces() -> Iterator[int]:
        nonlocal begun, most
        for number in range(30):
            begun += 1
            most = max(most, begun - ended)
            if begun == ahead:
                full.set()
            yield number

    def last(number: int) -> int:
        assert full.wait(10)  # nothing leaves before as many are under way as may be
        return number

    for _ in flow(pieces(), [Stage(lambda n: n, apart=True), Stage(last, apart=True)], ahead=ahead):
        ended += 1
    assert ended == 30
    assert most == ahead


def test_stages_apart_overlap_and_each_has_one_thread_of_its_own() -> None:
    threads: dict[str, set[int]] = {"first": set(), "second": set(), "here": set()}
    meeting = threading.Barrier(2, timeout=10)

    def work(name: str, number: int) -> int:
        threads[name].add(threading.get_ident())
        if name != "here" and (name, number) in {("first", 1), ("second", 0)}:
            meeting.wait()  # the second stage has piece 0 while the first has piece 1
        return number

    stages = [Stage(partial(work, name), apart=name != "here") for name in ("first", "second", "here")]
    assert list(flow(range(6), stages, ahead=3)) == list(range(6))
    assert {name: len(found) for name, found in threads.items()} == {"first": 1, "second": 1, "here": 1}
    assert threads["here"] == {threading.get_ident()}
    assert threads["first"] != threads["second"]


@pytest.mark.parametrize("apart", [True, False])
def test_what_a_stage_raises_is_raised_here_and_no_thread_is_left(apart: bool) -> None:
    before = threading.active_count()

    def fail(number: int) -> int:
        if number == 3:
            raise LookupError("three")
        return number

    found: list[int] = []
    with pytest.raises(LookupError, match="three"):
        found.extend(flow(range(10), [Stage(fail, apart=apart), Stage(lambda n: n, apart=True)], ahead=2))
    assert found == sorted(found)
    assert set(found) <= {0, 1, 2}
    assert threading.active_count() == before


def test_what_the_pieces_raise_is_raised_here() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        list(flow(pieces(), [Stage(lambda n: n, apart=True)], ahead=3))


def test_waiting_for_a_thread_is_no_spinning(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    real = module._advance

    def counted(posts: list[object]) -> object:
        nonlocal looks
        looks += 1
        return real(posts)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_advance", counted)
    pause = threading.Event()

    def slow(number: int) -> int:
        pause.wait(0.05)
        return number

    list(flow(range(5), [Stage(slow, apart=True), Stage(lambda n: n)], ahead=2))
    assert looks < 60


def test_nothing_in_nothing_out() -> None:
    assert list(flow([], [Stage(lambda n: n, apart=True)], ahead=2)) == []
