"""No query of a run looks through a whole table: cost follows the work, not what was done before."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Event

import pytest

from sync import orders
from sync.config import find_and_load
from sync.report import RunReport
from sync.state.ledger import Ledger
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

# Asked once a run or by a person: these may look at everything.
ONCE = re.compile(
    r"GROUP BY 1|FROM runs|FROM drops|FROM libraries|(COUNT\(\*\)|COALESCE\(MAX\(version\), 0\)) FROM (items|records|outbox) WHERE (library|state|owed_json)"
)


def statements(stage: Scene, *texts: str, undo: bool = False) -> list[str]:
    """Every statement that syncs of these drops, one after the other in this process, send to the ledger; and then their undo."""
    seen: list[str] = []
    opened = Ledger.open

    def traced(path: Path | str) -> Ledger:
        ledger = opened(path)
        ledger.database.connection.set_trace_callback(seen.append)
        return ledger

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "open", traced)
        reports = [
            carried_out(stage, orders.Order(paths=(str(stage.drop(f"{number}.ris", text)),)))
            for number, text in enumerate(texts)
        ]
        for report in reversed(reports) if undo else ():
            carried_out(stage, orders.Order(undo=report.run))
    return seen


def carried_out(stage: Scene, order: orders.Order) -> RunReport:
    config = find_and_load(stage.config)
    (report,) = orders.carry_out(config, order, kind="sync", stop=Event(), tell=lambda _text, _done, _total: None)
    return report


def test_every_statement_of_a_run_finds_its_rows_by_an_index(tmp_path: Path) -> None:
    works = make_works(40, seed=9)
    with scene(tmp_path, works) as stage:
        stage.write_config(use=[])
        seen = statements(stage, to_ris([*works[:30], *works[:5]]), to_ris(works[20:]), undo=True)
        shapes = {
            re.sub(r"'(?:[^']|'')*'|\b\d+\b", "?", sql): sql for sql in seen if re.match("SELECT|UPDATE|DELETE", sql)
        }
        assert len(shapes) > 20
        ledger = Ledger.open(find_and_load(stage.config).state.path)
        plans = {
            sql: [row["detail"] for row in ledger.database.rows(f"EXPLAIN QUERY PLAN {sql}")]
            for sql in shapes.values()
            if not ONCE.search(sql)
        }
        ledger.close()
    scans = [
        (sql[:150], line)
        for sql, plan in plans.items()
        for line in plan
        if line.startswith("SCAN") and not re.search("USING|CONSTANT|SCAN .subquery", line)
    ]
    assert scans == []


@pytest.mark.parametrize("undo", [False, True])
def test_a_run_costs_the_same_number_of_statements_for_each_record(tmp_path: Path, undo: bool) -> None:
    counts = []
    for number in (20, 40):
        folder = tmp_path / str(number)
        folder.mkdir()
        works = make_works(number, seed=9)
        with scene(folder, works) as stage:
            stage.write_config(use=[])
            counts.append(len(statements(stage, to_ris(works), undo=undo)))
    assert counts[1] - counts[0] <= (40 if undo else 20) * 40
