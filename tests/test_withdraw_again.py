"""Drops taken back one after the other, by halves, again, or under a name that several have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sync import wiring
from sync.errors import Outage, UsageFault
from sync.libraries.base import Receipt, Refusal, Write
from sync.libraries.embedded import Embedded
from sync.report import as_json
from sync.state.upkeep import Cutoffs
from sync.steps.tools import instant
from tests.scene import Scene, outcomes, scene
from tests.servers.works import to_ris
from tests.test_withdraw import AT, WORKS, carry, did, drop, edit, essence, ledger_of, living, tags

THEIRS = "ABCD2345"
TITLE = "Effect of altitude on midwives of Lortornes"
BY_DOI = f"TY  - JOUR\nTI  - {TITLE}\nDO  - 10.5555/x.1\nVL  - 31\nER  - \n\n"
BY_PMID = f"TY  - JOUR\nTI  - {TITLE}\nAN  - 12345678\nDB  - MEDLINE\nIS  - 6\nSP  - 782\nEP  - 790\nER  - \n\n"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        made.write_config(use=[], inbox_settle_seconds=0.0, inbox_tags=["ours"])
        yield made


def put_theirs(stage: Scene, **more: Any) -> dict[str, Any]:
    """An item that a person has, and how it is."""
    library = Embedded(stage.folder / "library.sqlite", now=lambda: AT)
    data = {"itemType": "journalArticle", "title": TITLE, "DOI": "10.5555/x.1", "extra": "PMID: 12345678", **more}
    (answer,) = library.write([Write(THEIRS, 0, data)])
    assert isinstance(answer, Receipt)
    library.close()
    return essence(living(stage))[THEIRS]


def refuse(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The library takes no write that holds this property."""
    real = Embedded.write

    def write(library: Embedded, batch: Any) -> Any:
        return [Refusal(one.key, 403, "no") if name in one.data else real(library, [one])[0] for one in batch]

    monkeypatch.setattr(Embedded, "write", write)


def broken_off(stage: Scene, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with monkeypatch.context() as patch:

        def away(*_: object) -> None:
            raise Outage("nobody answers", service="zotero")

        patch.setattr("sync.steps.withdrawing.taken_back", away)
        assert carry(stage, withdraw=name).failure


def let_go_of_all(stage: Scene) -> int:
    later = instant(wiring.utc_now() + timedelta(days=1))
    ledger = ledger_of(stage)
    went = ledger.upkeep.let_go(Cutoffs(journal=later), later)["runs that can no longer be undone"]
    ledger.close()
    return went


@pytest.mark.parametrize("instead", ["", "b.ris"])
def test_what_several_drops_brought_goes_with_the_last_of_them(stage: Scene, instead: str) -> None:
    keys = drop(stage, "a.ris", WORKS[:3])
    carry(stage, stage.drop("b.ris", to_ris(WORKS[:3]) + "\n"))
    before = essence(living(stage))
    first = carry(stage, withdraw="a.ris", instead=instead)
    assert set(living(stage)) == set(keys), "the other drop has them"
    last = carry(stage, withdraw="b.ris")
    assert did(last) == dict.fromkeys(keys, "trashed")
    assert living(stage) == {}
    carry(stage, undo=last.run)
    carry(stage, undo=first.run)
    assert essence(living(stage)) == before


def test_an_item_that_the_last_drop_only_found_goes_too_and_what_somebody_touched_stays(stage: Scene) -> None:
    keys = drop(stage, "a.ris", WORKS[:3], collection="X")
    again = carry(stage, stage.drop("b.ris", to_ris(WORKS[:3]) + "\n"), collection="X")
    assert outcomes(as_json(again)) == {"left": 3}
    carry(stage, withdraw="a.ris")
    edit(stage, keys[0], title="My own title")
    assert did(carry(stage, withdraw="b.ris")) == {keys[0]: "restored", keys[1]: "trashed", keys[2]: "trashed"}
    (left,) = living(stage).values()
    assert (left["title"], left["collections"], "ours" in tags(left)) == ("My own title", [], False)


@pytest.mark.parametrize("order", ["abc", "bac", "cba", "bca"])
def test_a_persons_item_is_as_it_was_once_the_last_drop_is_taken_back(stage: Scene, order: str) -> None:
    before = put_theirs(stage)
    for name, text in {"a": BY_DOI, "b": BY_PMID, "c": BY_DOI + "\n"}.items():
        carry(stage, stage.drop(f"{name}.ris", text))
    assert living(stage)[THEIRS]["volume"] == "31"
    for name in order:
        carry(stage, withdraw=f"{name}.ris")
    assert filled(essence(living(stage))[THEIRS]) == filled(before)


def filled(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value}


def test_what_a_person_typed_after_our_value_was_taken_out_stays_with_the_last_drop(stage: Scene) -> None:
    put_theirs(stage)
    first = carry(stage, stage.drop("a.ris", BY_DOI))
    carry(stage, undo=first.run)
    assert living(stage)[THEIRS].get("volume", "") == ""
    edit(stage, THEIRS, volume="31", tags=[{"tag": "ours"}])
    carry(stage, stage.drop("b.ris", BY_PMID))
    carry(stage, withdraw="b.ris")
    left = living(stage)[THEIRS]
    assert (left["volume"], left.get("issue", ""), tags(left)) == ("31", "", {"ours"})


def test_cleanup_keeps_what_an_open_withdrawal_needs(stage: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(stage, "a.ris", WORKS[:3])
    broken_off(stage, monkeypatch, "a.ris")
    assert let_go_of_all(stage) == 0
    carry(stage, owed_only=True)
    assert living(stage) == {}
    assert let_go_of_all(stage) == 2, "it is ended: the drop's run, and the one that took it back"


def test_what_is_not_known_any_more_is_kept_and_said_and_its_records_stand(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = drop(stage, "a.ris", WORKS[:2])
    broken_off(stage, monkeypatch, "a.ris")
    ledger = ledger_of(stage)
    with ledger.transaction() as sql:
        sql.execute("DELETE FROM journal WHERE key = ?", (keys[0],))
    carry(stage, owed_only=True)
    (run,) = [run for run in ledger.undoings.runs() if run.kind == "withdraw"]
    told = {one["key"]: one.get("why", "") for one in (ledger.report(run.id) or {})["undo"]["objects"]}
    assert "let go of" in told[keys[0]]
    assert set(living(stage)) == {keys[0]}
    assert [row.reasons for row in ledger.records.rows(1)] == [(), ("undone",)]
    assert ledger.records.get(1).state == "done"
    ledger.close()


def test_what_the_library_refuses_to_give_back_can_be_taken_back_again(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = drop(stage, "a.ris", WORKS[:3])
    edit(stage, keys[0], title="My own title")
    with monkeypatch.context() as patch:
        refuse(patch, "deleted")
        refused = carry(stage, withdraw="a.ris")
    assert did(refused) == {keys[0]: "restored", keys[1]: "kept", keys[2]: "kept"}
    ledger = ledger_of(stage)
    assert [row.reasons for row in ledger.records.rows(1)] == [("undone",), (), ()]
    assert ledger.records.get(1).state == "done"
    assert {key: what for key, what in did(carry(stage, withdraw="a.ris")).items() if key != keys[0]} == dict.fromkeys(
        keys[1:], "trashed"
    )
    assert set(living(stage)) == {keys[0]}
    assert ledger.records.get(1).state == "undone"
    ledger.close()


def test_of_a_drop_that_two_runs_made_one_can_be_taken_back_and_then_the_rest(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = to_ris(WORKS[:2]) + BY_DOI.replace("VL  - 31\n", "")  # which the first run brings
    with monkeypatch.context() as patch:
        refuse(patch, "volume")
        first = carry(stage, stage.drop("a.ris", text))
    assert outcomes(as_json(first))["refused"] > 0
    second = carry(stage, retry=True)
    keys = set(living(stage))
    assert len(keys) == 3
    carry(stage, undo=second.run)
    ledger = ledger_of(stage)
    standing = [row for row in ledger.records.rows(1) if row.reasons != ("undone",)]
    ledger.close()
    assert standing, "what the first run brought stands"
    assert {one.did for one in carry(stage, withdraw="a.ris").undone} <= {"trashed", "kept"}
    assert living(stage) == {}
    assert outcomes(as_json(carry(stage, stage.folder / "a.ris"))) == {"updated": 3}


def test_a_withdrawal_that_had_nothing_to_write_can_be_undone_and_its_records_be_tried_again(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_theirs(stage)
    with monkeypatch.context() as patch:
        refuse(patch, "volume")
        assert outcomes(as_json(carry(stage, stage.drop("a.ris", BY_DOI)))) == {"refused": 1}
    told = carry(stage, withdraw="a.ris")
    carry(stage, undo=told.run)
    assert outcomes(as_json(carry(stage, retry=True))) == {"updated": 1}
    assert living(stage)[THEIRS]["volume"] == "31"


def test_of_two_drops_of_the_same_bytes_each_is_named_by_its_number(stage: Scene) -> None:
    path = stage.drop("a.ris", to_ris(WORKS[:2]))
    carry(stage, path, collection="X")
    carry(stage, path, collection="Y")
    with pytest.raises(UsageFault, match=r"say which by its number: drop:1 \(.*a\.ris, .*drop:2 \("):
        carry(stage, withdraw="a.ris")
    assert {one.did for one in carry(stage, withdraw="drop:2").undone} == {"restored"}
    assert {one.did for one in carry(stage, withdraw="#1").undone} == {"trashed"}
    with pytest.raises(UsageFault, match="no such drop"):
        carry(stage, withdraw="drop:3")


def test_a_second_file_of_the_same_bytes_is_told_to_be_the_first_one(stage: Scene) -> None:
    (stage.inbox / "a.ris").write_text(to_ris(WORKS[:2]))
    (stage.inbox / "b.ris").write_text(to_ris(WORKS[:2]))
    carry(stage)
    with pytest.raises(UsageFault, match=r"b\.ris: came with the same bytes .* these are drop:1 \(.*a\.ris\)"):
        carry(stage, withdraw="b.ris")
    assert len(living(stage)) == 2
