"""What changed in a library before a run: it is followed, read once, and a library that looks wrong stops everything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.libraries.embedded import Embedded
from sync.libraries.zotero import Zotero
from sync.state.ledger import Ledger
from tests.scene import Scene, outcomes, scene
from tests.servers.works import make_works, to_ris
from tests.servers.zotero import API_KEY, USER

WORKS = make_works(12, seed=5)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config(use=[])
        yield made


def library(stage: Scene) -> Embedded:
    return Embedded(stage.folder / "library.sqlite", now=lambda: "2027-01-01T08:00:00Z")


def test_a_library_that_has_lost_everything_stops_a_run_until_somebody_says_that_it_is_right(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:11]))))
    held = library(stage)
    held.delete([item.key for item in list(held.items())])
    held.close()
    more = str(stage.drop("b.ris", to_ris(WORKS[11:])))
    for _ in range(2):
        said = stage.run("sync", more, code=8).stdout.decode()
        assert "nothing is left of 11 items" in said
        assert "--accept-empty" in said
    assert stage.items() == []
    assert outcomes(stage.sync(more, "--accept-empty")) == {"created": 1}
    assert len(stage.items()) == 1


def test_a_few_items_may_go_and_so_may_those_of_an_undo(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:9]))))
    held = library(stage)
    held.delete([item.key for item in list(held.items())])
    held.close()
    report = stage.sync(str(stage.drop("b.ris", to_ris(WORKS))))
    assert outcomes(report) == {"created": 3, "left": 9}
    stage.run("undo", report["run"], "--yes")
    stage.sync(str(stage.drop("c.ris", to_ris(make_works(1, seed=77)))))


def test_a_library_that_was_set_back_is_read_anew(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:3]))))
    shutil.copy(stage.folder / "library.sqlite", stage.folder / "backup.sqlite")
    stage.sync(str(stage.drop("b.ris", to_ris(WORKS[3:6]))))
    shutil.copy(stage.folder / "backup.sqlite", stage.folder / "library.sqlite")
    stage.sync()
    ledger = Ledger.open(stage.folder / "state" / "zotdrop.sqlite")
    snapshot = ledger.snapshot(library(stage).identity)
    assert snapshot.count() == 3
    ledger.close()


def test_a_first_reading_that_was_cut_off_reads_only_what_is_missing(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        shelf = stage.zotero.library()
        made = [shelf.add(itemType="book", title=f"Book {n}") for n in range(250)]

        def opened() -> Zotero:
            return Zotero(
                library_type="user",
                library_id=USER,
                api_key=API_KEY,
                url=stage.zotero.url,
                wait=lambda seconds: pytest.fail(f"a wait of {seconds} s"),
                now=lambda: 0.0,
            )

        first = opened()
        pages = first.changes(0)
        known = {item.key: item.version for _ in range(2) for item in next(pages).items}
        first.close()
        second = opened()
        rest = [item.key for delta in second.changes(0, known) for item in delta.items]
        assert len(known) == 200
        assert sorted([*known, *rest]) == sorted(made)
        assert second.requests == 3, "the versions, one page, what was deleted"
        second.close()


def test_all_drops_of_a_run_count_for_its_limit(stage: Scene) -> None:
    stage.write_config(use=[], limits_max_new_per_run=7)
    for name, works in (("a", WORKS[:5]), ("b", WORKS[5:10])):
        (stage.inbox / f"{name}.ris").write_text(to_ris(works))
    said = stage.run("sync", code=8).stdout.decode()
    assert "10 new items in this run are more than" in said
    assert len(stage.items()) == 5
    assert outcomes(stage.sync()) == {"created": 5}, "the next run may bring as many again"


def test_an_undo_passes_over_libraries_that_it_does_not_need(stage: Scene) -> None:
    report = stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:1]))))
    text = stage.config.read_text()
    other = '[library.away]\nkind = "zotero"\nid = 7\napi_key = { env = "NO_SUCH_KEY" }\n'
    stage.config.write_text(text.replace("[library.main]", f"{other}[library.main]"))
    stage.run("undo", report["run"], "--yes")
    assert stage.run("export", "--library", "main").stdout == b""
