"""What was decided of a record is not asked again when a later drop says exactly the same."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from sync import orders
from sync.config import load
from sync.report import RunReport
from sync.state.ledger import Ledger
from tests.scene import Scene, scene

ARTICLE = """TY  - JOUR
AU  - Berg, Ada
AU  - Li, Bo
TI  - Kelp forests of the northern coast and their urchins
JO  - Journal of Applied Tidal Biology
PY  - 2020
VL  - 8
IS  - 2
SP  - {page}
ER  -
"""


def carry(stage: Scene, *paths: Path, **order: object) -> RunReport:
    asked = orders.Order(paths=tuple(map(str, paths)), **order)  # type: ignore[arg-type]
    (report,) = orders.carry_out(
        load(stage.config, {}), asked, kind="sync", stop=Event(), tell=lambda _text, _done, _total: None
    )
    return report


@pytest.mark.parametrize("yes", [True, False])
def test_a_decision_counts_for_the_same_record_of_a_later_drop_and_for_no_other(tmp_path: Path, yes: bool) -> None:
    with scene(tmp_path) as stage:
        stage.write_config(use=[], inbox_settle_seconds=0.0)
        first = carry(stage, stage.drop("a.ris", ARTICLE.format(page="117"))).drops[0].records[0]
        asked = carry(stage, stage.drop("b.ris", ARTICLE.format(page="717"))).drops[0].records[0]
        assert (first.outcome, asked.outcome) == ("created", "asked")
        ledger = Ledger.open(stage.folder / "state" / "zotdrop.sqlite")
        (question,) = ledger.questions.open()
        ledger.questions.decide(question.record, "2027-01-01T08:00:00Z", yes=yes)
        decided = carry(stage, owed_only=True).drops[0].records[0]
        again = carry(stage, stage.drop("c.ris", "\n" + ARTICLE.format(page="717"))).drops[0].records[0]
        assert (again.outcome, again.key) == ("updated", decided.key), "it joins the collection of the new drop"
        assert (decided.key == first.key) is yes
        other = carry(stage, stage.drop("d.ris", ARTICLE.format(page="917"))).drops[0].records[0]
        assert other.outcome == "asked"
        ledger.close()
