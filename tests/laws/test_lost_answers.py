"""The answer to a write is lost, and a person empties what it had filled before the write is sent again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sync.report import RunReport
from tests.laws.shared_library import SharedLibrary


def drop(volume: str = "") -> str:
    lines = [
        "TY  - JOUR",
        "TI  - Walls and what grows on them",
        "AU  - Moss, Ada",
        "T2  - Annals of Stone",
        "PY  - 2020",
    ]
    return "\n".join([*lines, *([f"VL  - {volume}"] if volume else []), "DO  - 10.5555/w.1", "ER  - ", ""])


def emptied_meanwhile(here: SharedLibrary) -> object:
    """What stands in the volume in the end."""
    here.trouble.lose_answer = 1
    here.sync(drop("35"), "b.ris")
    assert here.met["an answer was lost"] == 1
    (key,) = here.items()
    assert here.items()[key]["volume"] == "35"
    here.person_writes(key, volume="")
    here.catch_up()
    here.sync(drop("35") + "\n", "c.ris")
    return here.items()[key].get("volume", "")


def test_what_a_person_empties_in_a_new_item_whose_answer_was_lost_stays_empty(tmp_path: Path) -> None:
    assert emptied_meanwhile(SharedLibrary(tmp_path, Counter())) == ""


def test_what_a_person_empties_in_an_item_whose_update_lost_its_answer_stays_empty(tmp_path: Path) -> None:
    here = SharedLibrary(tmp_path, Counter())
    here.sync(drop(), "a.ris")
    assert emptied_meanwhile(here) == ""


def test_what_a_person_empties_while_the_library_is_asked_again_stays_empty(tmp_path: Path) -> None:
    """The answer is lost, and what talks to the library sends the write once more by itself: only the conflict can say so."""
    here = SharedLibrary(tmp_path, Counter())
    here.sync(drop(), "a.ris")
    (key,) = here.items()
    here.trouble.resend_after = lambda: here.person_writes(key, volume="")
    here.sync(drop("35"), "b.ris")
    assert here.met["a write was sent twice"] == 1
    here.catch_up()
    here.sync(drop("35") + "\n", "c.ris")
    assert here.items()[key].get("volume", "") == ""


def run_of(report: RunReport | None) -> str:
    assert report is not None
    return report.run


def lost_undo(here: SharedLibrary, run: str, **meanwhile: object) -> dict[str, object]:
    """The undo of a run loses its answer, somebody does this meanwhile, and a later run goes on."""
    (key,) = here.items()
    here.trouble.lose_answer = 1
    report = here.undo(run)
    assert report is not None
    assert report.failure
    here.person_writes(key, **meanwhile)
    here.catch_up()
    return here.items()[key]


def test_what_a_person_brings_back_from_a_trash_whose_answer_was_lost_stays(tmp_path: Path) -> None:
    here = SharedLibrary(tmp_path, Counter())
    made = run_of(here.sync(drop("35"), "a.ris"))
    assert not lost_undo(here, made, deleted=0).get("deleted")


def test_what_a_person_types_again_after_an_undo_whose_answer_was_lost_stays(tmp_path: Path) -> None:
    here = SharedLibrary(tmp_path, Counter())
    here.sync(drop(), "a.ris")
    filled = run_of(here.sync(drop("35"), "b.ris"))
    assert lost_undo(here, filled, volume="35")["volume"] == "35"
    here.undo(filled)
    (item,) = here.items().values()
    assert item["volume"] == "35"


def test_a_tag_that_a_person_gives_again_after_an_undo_whose_answer_was_lost_stays(tmp_path: Path) -> None:
    here = SharedLibrary(tmp_path, Counter())
    here.sync(drop(), "a.ris")
    tagged = run_of(here.sync(drop("35"), "b.ris", tags=("screening",)))
    item = lost_undo(here, tagged, tags=[{"tag": "screening"}])
    assert item["tags"] == [{"tag": "screening"}]
    assert not item.get("volume")


def test_an_undo_that_did_not_land_is_carried_out_by_the_next_run(tmp_path: Path) -> None:
    here = SharedLibrary(tmp_path, Counter())
    here.sync(drop(), "a.ris")
    filled = run_of(here.sync(drop("35"), "b.ris", tags=("screening",)))
    here.trouble.lose_request = 1
    report = here.undo(filled)
    assert report is not None
    assert report.failure
    here.catch_up()
    (item,) = here.items().values()
    assert (item.get("volume", ""), item["tags"]) == ("", [])
