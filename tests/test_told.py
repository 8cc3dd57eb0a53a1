"""What a person is told after the rarer commands: nothing that misleads, nothing that stands there for good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.desk import Desk
from tests.servers.works import make_works, to_ris

WORKS = make_works(13, seed=33)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys)
    made.configure()
    return made


def test_the_report_of_a_withdrawal_says_what_was_taken_back(desk: Desk) -> None:
    desk.run("sync", str(desk.drop("a.ris", to_ris(WORKS[:2]))))
    said = desk.run("withdraw", "a.ris", "--yes").out
    assert "a.ris: 2 objects taken back" in said
    again = desk.run("report").out
    assert "a.ris: 2 objects taken back" in again
    assert "Nothing to do" not in again
    assert "Taken back of " in desk.run("report", "--format", "markdown").out


def test_what_was_taken_back_is_no_open_drop(desk: Desk) -> None:
    desk.run("sync", str(desk.drop("a.ris", to_ris(WORKS[:2]))))
    desk.run("withdraw", "a.ris", "--yes")
    said = desk.run("status").out
    assert "open:" not in said
    assert "drops: 1, of them done: 0, taken back: 1" in said


def test_verbose_is_about_our_work_and_not_about_locks(desk: Desk) -> None:
    assert "filelock" not in desk.run("-v", "status").err


def test_a_log_in_json_is_json_in_every_line_warnings_of_the_config_included(desk: Desk) -> None:
    desk.configure(use='["pubmed"]')  # without a contact
    desk.config.write_text(f'{desk.config.read_text()}[log]\nformat = "json"\n')
    lines = desk.run("run", "--once").err.splitlines()
    assert any("contact is empty" in json.loads(line)["message"] for line in lines)


@pytest.mark.parametrize(("first", "second"), [((0, 10), (0, 12)), ((0, 12), (0, 11)), ((0, 10), (0, 10))])
def test_a_search_that_found_more_or_less_since_is_asked_about_once(
    desk: Desk, first: tuple[int, int], second: tuple[int, int]
) -> None:
    desk.run("sync", str(desk.drop("old.ris", to_ris(WORKS[slice(*first)]))))
    said = desk.run("sync", str(desk.drop("new.ris", to_ris(WORKS[slice(*second)], newline="\n")))).out
    assert "a newer export of the same search?" in said
    assert ("1 other work then goes" in said) is (second[1] < first[1])


def test_the_same_bytes_once_more_are_no_newer_export(desk: Desk) -> None:
    desk.run("sync", str(desk.drop("old.ris", to_ris(WORKS[:10]))))
    desk.run("sync", str(desk.drop("new.ris", to_ris(WORKS[:11]))))
    said = desk.run("sync", "--collection", "Again", str(desk.drop("old.ris", to_ris(WORKS[:10])))).out
    assert "newer export" not in said
