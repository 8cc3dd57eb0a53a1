"""With a run that is taken back go the records that it brought: none counts as created or updated whose item is not so any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from sync import orders
from sync import run as journey
from sync.config import load
from sync.errors import Outage
from sync.libraries.base import Answer, Receipt, Refusal, Write
from sync.libraries.embedded import Embedded
from sync.report import RunReport
from sync.state.ledger import Ledger
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

WORKS = make_works(3, seed=41)
TITLE = "Effect of altitude on midwives of Lortornes"
FIRST = f"TY  - JOUR\nTI  - {TITLE}\nDO  - 10.5555/x.1\nVL  - 31\nER  - \n"
SECOND = f"TY  - JOUR\nTI  - {TITLE}\nAN  - 12345678\nDB  - MEDLINE\nIS  - 6\nSP  - 782\nPY  - 2021\nER  - \n"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config("embedded", use=[], inbox_settle_seconds=0.0)
        yield made


def carry(stage: Scene, *paths: Path, **order: Any) -> RunReport:
    asked = orders.Order(paths=tuple(map(str, paths)), **order)
    (report,) = orders.carry_out(
        load(stage.config, {}), asked, kind="sync", stop=Event(), tell=lambda _text, _done, _total: None
    )
    return report


def records(stage: Scene) -> list[tuple[str, tuple[str, ...]]]:
    """Outcome and reasons of each record of the only drop."""
    with closing(Ledger.open(stage.folder / "state" / "zotdrop.sqlite")) as ledger:
        return [(row.outcome, row.reasons) for row in ledger.records.rows(1)]


def test_an_undone_retry_leaves_out_what_was_refused_before_and_the_drop_brings_it_again(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Embedded.write

    def refuses_one(self: Embedded, batch: Sequence[Write]) -> list[Answer]:
        refused = [one for one in batch if str(one.data.get("DOI", "")).endswith("000001")]
        return [Refusal(one.key, 400, "no") if one in refused else write(self, [one])[0] for one in batch]

    path = stage.drop("a.ris", to_ris(WORKS))
    with monkeypatch.context() as patch:
        patch.setattr(Embedded, "write", refuses_one)
        carry(stage, path)
    assert [outcome for outcome, _ in records(stage)] == ["created", "refused", "created"]
    second = carry(stage, retry=True)
    assert [outcome for outcome, _ in records(stage)] == ["created"] * 3
    (one,) = carry(stage, undo=second.run).undone
    assert one.did == "trashed"
    assert [outcome for outcome, _ in records(stage)] == ["created", "left", "created"]
    assert records(stage)[1][1] == ("undone",)
    (again,) = carry(stage, path).drops
    assert again.records[1].outcome == "updated"
    assert "restored" in again.records[1].reasons


def test_records_that_met_in_one_item_are_left_out_together_and_come_back_together(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Embedded(stage.folder / "library.sqlite", now=lambda: "2027-01-01T08:00:00Z")
    item = {"itemType": "journalArticle", "title": TITLE, "DOI": "10.5555/x.1", "extra": "PMID: 12345678"}
    assert isinstance(library.write([Write("ABCD2345", 0, item)])[0], Receipt)
    library.close()
    path = stage.drop("a.ris", FIRST + SECOND)

    def away(_tools: Any) -> None:
        raise Outage("away", service="zotero")

    with monkeypatch.context() as patch:
        patch.setattr(journey, "look", away)
        carry(stage, path)  # the drop is only noted by this run
    written = carry(stage, path)
    assert [outcome for outcome, _ in records(stage)] == ["updated", "updated"]
    undone = carry(stage, undo=written.run)
    assert records(stage) == [("left", ("undone",))] * 2
    carry(stage, undo=undone.run)
    assert [outcome for outcome, _ in records(stage)] == ["updated", "updated"]
