"""The scenes of the shared library end well, and have teeth: each way of getting the rules of writing wrong spoils one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from sync.core import plan as rules
from sync.core import undo as taking_back
from sync.core.plan import Place
from sync.libraries.base import Conflict, Receipt, Write
from sync.libraries.paced import Paced
from sync.state import snapshot as seen
from sync.state.outbox import Outbox
from sync.state.records import Records
from sync.state.snapshot import Snapshot
from sync.steps import deciding, undoing, writing
from tests.laws.shared_library import SharedLibrary
from tests.laws.shared_scenes import SCENES

Patch = pytest.MonkeyPatch


def the_base_is_all_that_the_library_answered(patch: Patch) -> None:
    patch.setattr(seen, "rebased", lambda _base, _before, answered, _sent: dict(answered))


def what_was_found_counts_as_ours(patch: Patch) -> None:
    landed = Snapshot.landed
    patch.setattr(Snapshot, "landed", lambda *args, **facts: landed(*args, **{**facts, "found": False}))


def what_a_person_emptied_is_filled(patch: Patch) -> None:
    patch.setattr(rules, "once_held", lambda _base, _name: False)


def what_is_not_empty_is_filled(patch: Patch) -> None:
    patch.setattr(rules, "_may_fill", lambda _name, _twin: True)


def tags_that_were_removed_come_back(patch: Patch) -> None:
    whole = rules._new_tags
    patch.setattr(rules, "_new_tags", lambda record, twin, wish: whole(record, replace(twin, base={}), wish))


def collections_are_entered_again(patch: Patch) -> None:
    whole = rules._additions
    patch.setattr(rules, "_additions", lambda wanted, twin, name: whole(wanted, replace(twin, base={}), name))


def tags_of_others_are_dropped(patch: Patch) -> None:
    whole = rules.update

    def update(record: Any, twin: Any, wish: Any) -> dict[str, Any]:
        changed = whole(record, twin, wish)
        held = len(twin.data.get("tags", ()))
        return {**changed, "tags": changed["tags"][held:]} if "tags" in changed else changed

    patch.setattr(rules, "update", update)


def tombstones_are_not_respected(patch: Patch) -> None:
    whole = rules._for_tombstone
    patch.setattr(rules, "_for_tombstone", lambda record, twin, wish: whole(record, twin, replace(wish, restore=True)))


def every_trashed_item_counts_as_undone(patch: Patch) -> None:
    whole = Snapshot.twin

    def twin(self: Snapshot, key: str, match: Any) -> Any:
        found = whole(self, key, match)
        return replace(found, undone=True) if found and found.place is Place.TRASH else found

    patch.setattr(Snapshot, "twin", twin)


def merged_items_are_not_followed(patch: Patch) -> None:
    patch.setattr(Snapshot, "heir", lambda _self, key: key)


def what_lies_in_the_trash_is_no_twin(patch: Patch) -> None:
    whole = deciding._followed
    patch.setattr(deciding, "_followed", lambda *args: [twin for twin in whole(*args) if twin.place is Place.ALIVE])


def writes_do_not_say_what_they_were_computed_from(patch: Patch) -> None:
    patch.setattr(writing, "Write", lambda key, version, data: Write(key, version and 10**9, data))


def a_conflict_is_taken_for_landed(patch: Patch) -> None:
    def conflict(tools: Any, run: Any, post: Any, conflict: Conflict) -> None:
        writing._landed(tools, run, post, Receipt(post.key, conflict.version, conflict.theirs or {}))

    patch.setattr(writing, "_conflict", conflict)


def an_unanswered_create_gets_another_key(patch: Patch) -> None:
    whole = Outbox.pending

    def pending(self: Outbox, limit: int = -1) -> Any:
        return [replace(post, key=post.key[::-1]) if post.version == 0 else post for post in whole(self, limit)]

    patch.setattr(Outbox, "pending", pending)


def what_was_deleted_is_sent_again(patch: Patch) -> None:
    patch.setattr(writing, "_leave_deleted", lambda _tools, _post: None)


def undo_takes_what_a_person_changed(patch: Patch) -> None:
    patch.setattr(taking_back, "_stays", lambda *_args, **_facts: "")


def undo_puts_back_whatever_stands_there(patch: Patch) -> None:
    def take_back(write: Any, held: dict[str, Any], _base: dict[str, Any]) -> Any:
        held.update(
            {name: (write.before or {}).get(name, "") for name in write.after if name in {"volume", "publisher"}}
        )
        return iter(())

    patch.setattr(taking_back, "_take_back", take_back)


def undo_puts_back_whole_sets(patch: Patch) -> None:
    patch.setattr(taking_back, "_exchanged", lambda name, before, _after, _held, _base: list(before.get(name, ())))


def an_undo_without_an_answer_counts_as_not_sent(patch: Patch) -> None:
    may_have_landed = Snapshot.may_have_landed

    def only_of_drops(self: Snapshot, key: str, sent: Any, *, undo: bool = False) -> None:
        if not undo:
            may_have_landed(self, key, sent)

    patch.setattr(Snapshot, "may_have_landed", only_of_drops)


def undo_does_not_look_at_what_came_back(patch: Patch) -> None:
    def unmade(now: Any, stays: str) -> Any:
        if now.place is Place.TRASH or stays:
            return taking_back.Reversal(now.key, "kept", why="in the trash already")
        return taking_back.Reversal(now.key, "trashed", {"deleted": 1})

    patch.setattr(taking_back, "_unmade", unmade)


def what_meets_in_an_item_is_written_one_after_the_other(patch: Patch) -> None:
    patch.setattr(Outbox, "held", lambda _self, _key: None)


def the_second_record_takes_the_place_of_the_first(patch: Patch) -> None:
    join = Outbox.join
    patch.setattr(Outbox, "join", lambda self, post, more: join(self, replace(post, data={}), more))


def the_second_record_does_not_see_what_the_first_brings(patch: Patch) -> None:
    patch.setattr(deciding, "_foreseen", lambda _tools, twin: twin)


def the_second_record_is_forgotten(patch: Patch) -> None:
    patch.setattr(Records, "awaiting", lambda _self, _key, _record: [])


def there_are_no_pauses(patch: Patch) -> None:
    patch.setattr(Paced, "_turn", lambda _self: nullcontext())


def pauses_are_too_short(patch: Patch) -> None:
    patch.setattr(SharedLibrary, "_pause", lambda self, _seconds: self.clock.wait(0.5))


def the_burst_begins_anew_with_each_write(patch: Patch) -> None:
    note = Paced._note

    def anew(self: Paced, moment: float) -> None:
        note(self, moment)
        self._began = moment

    patch.setattr(Paced, "_note", anew)


def what_earlier_runs_wrote_is_forgotten(patch: Patch) -> None:
    patch.setattr(Outbox, "recent", lambda _self, _since: [])


def undo_does_not_pause(patch: Patch) -> None:
    drain = writing.drain
    patch.setattr(undoing, "drain", lambda tools, run: drain(replace(tools, library=tools.library._real), run))


MUTANTS: list[Callable[[Patch], None]] = [
    the_base_is_all_that_the_library_answered,
    what_was_found_counts_as_ours,
    what_a_person_emptied_is_filled,
    what_is_not_empty_is_filled,
    tags_that_were_removed_come_back,
    collections_are_entered_again,
    tags_of_others_are_dropped,
    tombstones_are_not_respected,
    every_trashed_item_counts_as_undone,
    what_lies_in_the_trash_is_no_twin,
    writes_do_not_say_what_they_were_computed_from,
    an_unanswered_create_gets_another_key,
    what_was_deleted_is_sent_again,
    undo_takes_what_a_person_changed,
    merged_items_are_not_followed,
    a_conflict_is_taken_for_landed,
    undo_puts_back_whatever_stands_there,
    undo_puts_back_whole_sets,
    an_undo_without_an_answer_counts_as_not_sent,
    undo_does_not_look_at_what_came_back,
    what_meets_in_an_item_is_written_one_after_the_other,
    the_second_record_takes_the_place_of_the_first,
    the_second_record_does_not_see_what_the_first_brings,
    the_second_record_is_forgotten,
    there_are_no_pauses,
    pauses_are_too_short,
    the_burst_begins_anew_with_each_write,
    what_earlier_runs_wrote_is_forgotten,
    undo_does_not_pause,
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_the_scene_ends_well(scene: Callable[[], None]) -> None:
    scene()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_wrong_rule_is_found(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    mutant(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        play_all()


def play_all() -> None:
    for scene in SCENES:
        scene()
