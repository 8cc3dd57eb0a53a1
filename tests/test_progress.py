"""How far long work is: a bar on a terminal, a plain line now and then elsewhere, nothing if that is wished."""

from __future__ import annotations

import pytest

from sync.progress import EVERY, bar, lines, silent


def test_plain_lines_come_now_and_then() -> None:
    clock, said = 0.0, list[str]()
    with lines(said.append, lambda: clock) as tell:
        for done in range(0, 30_000, 1000):
            clock += EVERY / 10
            tell("reading a.ris", done, 0)
        clock += EVERY
        tell("syncing a.ris", 1500, 30_000)
    assert said[0] == "reading a.ris: 9,000"
    assert said[-1] == "syncing a.ris: 1,500 of 30,000"
    assert len(said) == 4


def test_silence_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    with silent() as tell:
        tell("reading", 1, 2)
    assert capfd.readouterr() == ("", "")


def test_a_bar_shows_what_is_done_and_goes_away(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with bar() as tell:
        tell("syncing a.ris", 5, 20)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "syncing a.ris" in shown.err
    assert "5/20" in shown.err
