"""A part of the hunt in every run of the tests; the long one is `python -m tests.fuzz.mutants`."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from sync import drops
from sync.core.record import Gap, Reading
from sync.steps.intake import readings
from tests.fuzz import mutants

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


@pytest.mark.parametrize("seed", range(8))
def test_no_mutant_crashes_hangs_or_loses_a_word(seed: int) -> None:
    found = [f"{number}: {wrong}" for number, _, wrong in mutants.hunt(250, seed, [CORPUS])]
    assert found == []


def test_a_mutant_is_made_again_from_its_number() -> None:
    files = mutants.origins([CORPUS])
    assert len(files) > 20
    again = [mutants.mutant(files[0], random.Random("1/5")) for _ in range(2)]
    assert again[0] == again[1] != files[0]


def _without_first(parts: list[Reading | Gap]) -> list[Reading | Gap]:
    return parts[1:]


def _without_titles(parts: list[Reading | Gap]) -> list[Reading | Gap]:
    return [
        replace(part, record=part.record.with_fields({"title": ""}))
        if isinstance(part, Reading) and part.record
        else part
        for part in parts
    ]


@pytest.mark.parametrize(("lossy", "word"), [(_without_first, "letters lost"), (_without_titles, "in no field")])
def test_the_hunt_finds_a_reader_that_loses_something(
    lossy: object, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(lossy)
    monkeypatch.setattr(mutants, "readings", lambda lines: lossy(list(readings(lines))))
    data = (CORPUS / "several-types.ris").read_bytes()
    assert word in mutants.fault(data)
    assert list(readings(drops.lines_of(data)))
