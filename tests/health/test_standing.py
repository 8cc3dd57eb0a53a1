"""What `status` says of files that stay where they are, and what to do about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync.cli.facts import _run
from sync.config import Config, load
from sync.health.standing import staying

LIVING: dict[str, Any] = {"retries": [], "quiet_until": ""}
NIGHT = {**LIVING, "quiet_until": "2027-01-02T06:00:00Z"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "zotdrop.toml").write_text("[inbox.default]\n")
    return load(tmp_path / "zotdrop.toml", {})


def why(config: Config, living: dict[str, Any] = LIVING, degraded: str = "") -> list[str]:
    return [file["why"] for file in staying(config, living, {}, degraded)["files"]]


def test_in_quiet_hours_a_file_waits_for_their_end(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "inbox" / "a.ris"
    path.write_text("x")
    assert why(config) == ["waits for its turn"]
    assert why(config, NIGHT) == ["quiet hours until 2027-01-02T06:00:00Z"]
    assert why(config, NIGHT, degraded="full") == ["too little space is free"]
    for at, told in (("2027-01-02T05:00:00Z", "06:00"), ("2027-01-02T07:00:00Z", "07:00")):
        again = {**NIGHT, "retries": [{"path": str(path), "at": at}]}
        assert why(config, again) == [f"is tried again at 2027-01-02T{told}:00Z"]


def test_of_a_held_file_it_is_said_what_to_do(config: Config, tmp_path: Path) -> None:
    (tmp_path / "inbox" / "held").mkdir()
    (tmp_path / "inbox" / "held" / "a.ris").write_text("x")
    assert why(config) == ["a person must look: a.ris.report.json beside it says at what; once mended, zotdrop retry"]


def test_a_file_in_the_place_of_the_folder_is_named(config: Config, tmp_path: Path) -> None:
    (tmp_path / "inbox").rmdir()
    assert why(config) == ["the folder is gone"]
    (tmp_path / "inbox").write_text("x")
    assert why(config) == ["the folder is not there: a file lies in its place, move it away"]


def test_an_inbox_that_may_not_be_entered_is_no_fault(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inbox" / "a.ris").write_text("x")
    real = Path.is_dir

    def is_dir(self: Path) -> bool:
        if self.name == "held":
            raise PermissionError
        return real(self)

    monkeypatch.setattr(Path, "is_dir", is_dir)
    assert why(config) == ["waits for its turn"]


@pytest.mark.parametrize(("wrote", "told"), [(1, "1 object written"), (2, "2 objects written")])
def test_of_a_run_one_object_is_one(wrote: int, told: str) -> None:
    assert _run({"run": "r", "kind": "sync", "failure": "", "wrote": wrote, "finished": "x"}) == f"run r (sync): {told}"
