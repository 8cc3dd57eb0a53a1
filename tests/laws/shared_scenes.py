"""Short plays in the shared library, each around one rule: what somebody does, what zotdrop does, and how it has to end."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sync.report import RunReport
from tests.laws.shared_library import SharedLibrary

TITLES = ("Tides and the people who read them in the north", "Kelp forests under a warming and restless sky")


@contextmanager
def stage() -> Iterator[SharedLibrary]:
    with tempfile.TemporaryDirectory(prefix="zotdrop-scene-") as folder:
        library = SharedLibrary(Path(folder), Counter())
        library.source.away = True
        yield library


def drop(library: SharedLibrary, *works: int, name: str, **wish: Any) -> RunReport:
    """A drop of these works; `more`: further tags and their values."""
    more = wish.pop("more", "")
    report = library.sync("\n".join(_ris(work, more) for work in works), name, **wish)
    assert report is not None
    return report


def keys(report: RunReport) -> list[str]:
    return [line.key for part in report.drops for line in part.records]


def what_was_merged_in_zotero_is_followed() -> None:
    with stage() as library:
        loser, winner = keys(drop(library, 0, 1, name="a.ris"))
        library.person_writes(winner, relations={"dc:replaces": library.uri(loser)})
        library.person_writes(loser, deleted=1)
        assert keys(drop(library, 0, name="b.ris", more="VL  - 8\n")) == [winner]
        assert library.items()[loser].get("deleted")


def a_change_in_between_is_seen_and_the_rest_is_written() -> None:
    with stage() as library:
        (key,) = keys(drop(library, 0, name="a.ris"))
        library.meanwhile.append(lambda: library.person_writes(key, title="Mine", volume="7"))
        report = drop(library, 0, name="b.ris", more="VL  - 8\nPB  - Ward\n")
        item = library.items()[key]
        assert (item["title"], item["volume"], item["publisher"]) == ("Mine", "7", "Ward")
        assert library.met["answer: Conflict"] == 1
        assert report.outcomes["updated"] == 1


def an_edit_after_a_lost_answer_is_a_persons() -> None:
    with stage() as library:
        library.trouble.crash_write = 1
        assert library.sync(_ris(0, ""), "a.ris") is None
        (key,) = library.items()
        library.person_writes(key, date="2020")
        library.catch_up()
        assert library.met["a create had landed before"] == 1
        fuller = _ris(0, "").replace("PY  - 2019", "PY  - 2020/05/01")
        assert library.sync(fuller, "b.ris") is not None
        assert library.items()[key]["date"] == "2020"


def what_a_person_deleted_after_a_lost_answer_is_not_made_again() -> None:
    with stage() as library:
        library.trouble.crash_write = 1
        text = "\n".join((_ris(0, "N1  - A note that hangs from it\n"), _ris(1, "")))
        assert library.sync(text, "a.ris") is None
        gone, kept = sorted(library.items(), key=lambda key: str(library.items()[key]["title"]), reverse=True)
        library.person_deletes(gone)
        library.catch_up()
        assert set(library.items()) == {kept}
        assert library.outcomes() == {"created": 1, "left": 1}
        again = drop(library, 0, name="b.ris")
        assert set(library.items()) == {kept}
        assert again.outcomes["left"] == 1


def what_a_person_took_out_stays_out() -> None:
    with stage() as library:
        more = "VL  - 8\n"
        (key,) = keys(drop(library, 0, name="a.ris", more=more, tags=("review",)))
        library.person_writes(key, volume="", tags=[], collections=[])
        drop(library, 0, name="b.ris", more="PB  - Ward\n", collection="Second", tags=("other",))
        held = library.items()[key]
        drop(library, 0, name="c.ris", more=f"{more}IS  - 2\n", tags=("review",))
        item = library.items()[key]
        assert (item.get("volume", ""), item["publisher"], item["issue"]) == ("", "Ward", "2")
        assert [tag["tag"] for tag in item["tags"]] == ["other"]
        assert item["collections"] == held["collections"]
        assert len(held["collections"]) == 1


def what_a_person_put_in_stays_in() -> None:
    with stage() as library:
        (key,) = keys(drop(library, 0, name="a.ris"))
        library.person_writes(key, tags=[{"tag": "mine"}])
        drop(library, 0, name="b.ris", tags=("review",))
        assert {tag["tag"] for tag in library.items()[key]["tags"]} == {"mine", "review"}


def what_a_person_threw_away_stays_away() -> None:
    with stage() as library:
        trashed, deleted = keys(drop(library, 0, 1, name="a.ris"))
        library.person_writes(trashed, deleted=1)
        library.person_deletes(deleted)
        again = drop(library, 0, 1, name="b.ris", more="VL  - 8\n")
        assert again.outcomes["left"] == 2
        assert set(library.items()) == {trashed}
        assert library.items()[trashed].get("deleted")


def undo_leaves_an_item_that_somebody_edited() -> None:
    with stage() as library:
        report = drop(library, 0, name="a.ris")
        (key,) = keys(report)
        library.person_writes(key, title="Mine")
        library.undo(report.run)
        assert not library.items()[key].get("deleted")


def undo_leaves_a_persons_value() -> None:
    with stage() as library:
        (key,) = keys(drop(library, 0, name="a.ris"))
        later = drop(library, 0, name="b.ris", more="VL  - 8\nPB  - Ward\n")
        library.person_writes(key, volume="9")
        library.undo(later.run)
        item = library.items()[key]
        assert (item["volume"], item.get("publisher", "")) == ("9", "")


def undo_leaves_a_persons_tags_and_collections() -> None:
    with stage() as library:
        (key,) = keys(drop(library, 0, name="a.ris"))
        (first,) = library.items()[key]["collections"]
        later = drop(library, 0, name="b.ris", tags=("review",), collection="Second")
        held = library.items()[key]
        assert len(held["collections"]) == 2
        library.person_writes(key, tags=[*held["tags"], {"tag": "mine"}])
        library.undo(later.run)
        assert [tag["tag"] for tag in library.items()[key]["tags"]] == ["mine"]
        assert library.items()[key]["collections"] == [first]


def what_a_person_brought_back_stays() -> None:
    with stage() as library:
        report = drop(library, 0, name="a.ris")
        (key,) = keys(report)
        library.undo(report.run)
        library.person_writes(key, deleted=0)
        library.undo(report.run)
        assert not library.items()[key].get("deleted")


def what_a_person_does_after_an_undo_whose_answer_was_lost_stays() -> None:
    with stage() as library:
        (key,) = keys(drop(library, 0, name="a.ris"))
        filled = drop(library, 0, name="b.ris", more="VL  - 8\n")
        library.trouble.lose_answer = 1
        library.undo(filled.run)
        library.person_writes(key, volume="8")
        library.catch_up()
        assert library.items()[key]["volume"] == "8"


def what_was_taken_back_comes_again_even_after_the_trash_was_emptied() -> None:
    with stage() as library:
        report = drop(library, 0, 1, name="a.ris")
        gone, trashed = keys(report)
        library.undo(report.run)
        library.person_deletes(gone)
        again = drop(library, 0, 1, name="b.ris", more="VL  - 8\n")
        assert keys(again)[1] == trashed
        assert again.outcomes["created"] == again.outcomes["updated"] == 1


def an_undo_of_an_undo_brings_back_what_is_left() -> None:
    with stage() as library:
        report = drop(library, 0, 1, name="a.ris")
        gone, trashed = keys(report)
        undone = library.undo(report.run)
        assert undone is not None
        library.person_deletes(gone)
        back = library.undo(undone.run)
        assert back is not None
        assert {one.key: one.did for one in back.undone} == {gone: "kept", trashed: "brought-back"}
        same = library.sync("\n".join(_ris(work, "") for work in (0, 1)), "a.ris")
        assert same is not None
        assert set(keys(same)) == {gone, trashed}, "the file may come again: one of its records has no item"
        assert set(library.items()) == {gone, trashed}


def merged(library: SharedLibrary) -> str:
    """Two works that a person made one item of; its key."""
    loser, winner = keys(drop(library, 0, 1, name="a.ris"))
    library.person_writes(winner, relations={"dc:replaces": library.uri(loser)})
    library.person_writes(loser, deleted=1)
    return winner


def two_records_that_meet_in_an_item_change_it_once() -> None:
    with stage() as library:
        key = merged(library)
        landed = library.met["answer: Receipt"]
        text = "\n".join((_ris(0, "VL  - 8\n"), _ris(1, "PB  - Ward\n")))
        report = library.sync(text, "b.ris", tags=("review",), collection="Second")
        assert report is not None
        item = library.items()[key]
        assert library.met["answer: Receipt"] == landed + 1
        assert (item["volume"], item["publisher"]) == ("8", "Ward")
        assert [tag["tag"] for tag in item["tags"]] == ["review"]
        assert len(item["collections"]) == 2
        assert keys(report) == [key, key]
        assert report.outcomes["updated"] == 2
        library.undo(report.run)
        undone = library.items()[key]
        assert (undone.get("volume", ""), undone.get("publisher", ""), undone["tags"]) == ("", "", [])


def two_records_that_meet_in_an_item_do_not_fill_a_field_twice() -> None:
    with stage() as library:
        key = merged(library)
        report = library.sync("\n".join((_ris(0, "VL  - 8\n"), _ris(1, "VL  - 9\n"))), "b.ris")
        assert report is not None
        assert library.items()[key]["volume"] == "8"
        assert {line.outcome for part in report.drops for line in part.records} == {"updated", "left"}


def two_records_that_meet_in_a_conflict_are_decided_again() -> None:
    with stage() as library:
        key = merged(library)
        library.meanwhile.append(lambda: library.person_writes(key, volume="7"))
        report = library.sync("\n".join((_ris(0, "VL  - 8\n"), _ris(1, "PB  - Ward\n"))), "b.ris")
        assert report is not None
        assert library.met["answer: Conflict"] == 1
        item = library.items()[key]
        assert (item["volume"], item["publisher"]) == ("7", "Ward")
        assert report.outcomes["waiting"] == 0


def a_desktop_gets_its_changes_up_between_short_runs() -> None:
    with stage() as library:
        (key,) = keys(drop(library, 0, name="a.ris"))
        desktop = library.desktop(lambda: library.person_writes(key, title="Mine"))
        desktop.prepare, desktop.download = 7.0, 0.1
        for number in range(14):
            if number == 1:
                library.clock.start(desktop.sync(), after=2.0)
            drop(library, 0, name=f"{number}.ris", tags=(f"tag {number}",))
        assert desktop.in_a_row > 0, "it is in the way of a run at least once"
        assert not desktop.gave_up
        assert desktop.done
        item = library.items()[key]
        assert item["title"] == "Mine"
        assert len(item["tags"]) == 14


def undo_leaves_room_for_desktops_too() -> None:
    with stage() as library:
        report = drop(library, 0, name="a.ris")
        for number in range(3):
            drop(library, 1, name=f"{number}.ris", tags=(f"tag {number}",))
        assert library.clock.waits == []
        library.undo(report.run)
        library.undo(report.run)
        assert len(library.clock.waits) == 1
        assert library.items()[keys(report)[0]].get("deleted")


SCENES: list[Callable[[], None]] = [
    what_was_merged_in_zotero_is_followed,
    a_change_in_between_is_seen_and_the_rest_is_written,
    an_edit_after_a_lost_answer_is_a_persons,
    what_a_person_deleted_after_a_lost_answer_is_not_made_again,
    what_a_person_took_out_stays_out,
    what_a_person_put_in_stays_in,
    what_a_person_threw_away_stays_away,
    undo_leaves_an_item_that_somebody_edited,
    undo_leaves_a_persons_value,
    undo_leaves_a_persons_tags_and_collections,
    what_a_person_brought_back_stays,
    what_a_person_does_after_an_undo_whose_answer_was_lost_stays,
    what_was_taken_back_comes_again_even_after_the_trash_was_emptied,
    an_undo_of_an_undo_brings_back_what_is_left,
    two_records_that_meet_in_an_item_change_it_once,
    two_records_that_meet_in_an_item_do_not_fill_a_field_twice,
    two_records_that_meet_in_a_conflict_are_decided_again,
    a_desktop_gets_its_changes_up_between_short_runs,
    undo_leaves_room_for_desktops_too,
]


def _ris(work: int, more: str) -> str:
    place = f"SP  - {11 + work}\nEP  - {29 + work}\nDO  - 10.5555/work{work}"
    return f"TY  - JOUR\nTI  - {TITLES[work]}\nAU  - Berg, Anna\nT2  - Journal of Coasts\nPY  - 2019\n{place}\n{more}ER  - \n"
