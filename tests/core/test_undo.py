"""What takes a write back says why it leaves something as it is."""

from __future__ import annotations

from typing import Any

from sync.core.plan import Place, Twin
from sync.core.undo import Reversal, Written, reversal
from sync.core.verdicts import Match, Verdict

OURS: dict[str, Any] = {"itemType": "journalArticle", "title": "Kelp", "deleted": 1}
TRASHED = [Written("AAAA2222", {"deleted": 0}, {"deleted": 1})]


def taken_back(data: dict[str, Any], *, undone: bool) -> Reversal:
    now = Twin("AAAA2222", 9, data, OURS, Place.TRASH, Match(Verdict.SAME), made=True, undone=undone)
    return reversal(TRASHED, now, ours=set(), worked_on=False, used="")


def test_what_we_threw_away_and_a_person_edited_in_the_trash_stays_there_for_that_reason() -> None:
    found = taken_back({**OURS, "title": "My kelp"}, undone=False)
    assert (found.did, dict(found.change)) == ("kept", {})
    assert found.why == "in the trash, and somebody touched it there"


def test_what_we_threw_away_and_nobody_touched_comes_back() -> None:
    assert taken_back(OURS, undone=True).did == "brought-back"
