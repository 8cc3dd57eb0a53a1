"""No query of a run looks through a whole table: cost follows the work, not what was done before."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Event

import pytest

from sync import orders
from sync.config import find_and_load
from sync.state.ledger import Ledger
from tests.scene import Scene, scene
from tests.servers.works import make_works, to_ris

# Asked once a run or by a person: these may look at everything.
ONCE = re.compile(
    r"GROUP BY 1|FROM runs|FROM drops|FROM libraries|COUNT\(\*\) FROM (items|records|outbox) WHERE (library|state|owed_json)"
)


def statements(stage: Scene, *texts: str) -> list[str]:
    """Every statement that syncs of these drops, one after the other in this process, send to the ledger."""
    seen: list[str] = []
    opened = Ledger.open

    def traced(path: Path | str) -> Ledger:
        ledger = opened(path)
        ledger.database.connection.set_trace_callback(seen.append)
        return ledger

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "open", traced)
        for number, text in enumerate(texts):
            order = orders.Order(paths=(str(stage.drop(f"{number}.ris", text)),))
            config = find_and_load(stage.config)
            orders.carry_out(config, order, kind="sync", stop=Event(), tell=lambda _text, _done, _total: None)
    return seen


def test_every_statement_of_a_run_finds_its_rows_by_an_index(tmp_path: Path) -> None:
    works = make_works(40, seed=9)
    with scene(tmp_path, works) as stage:
        stage.write_config(use=[])
        seen = statements(stage, to_ris([*works[:30], *works[:5]]), to_ris(works[20:]))
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
        if line.startswith("SCAN") and "USING" not in line and "CONSTANT" not in line
    ]
    assert scans == []


def test_a_run_costs_the_same_number_of_statements_for_each_record(tmp_path: Path) -> None:
    counts = []
    for number in (20, 40):
        folder = tmp_path / str(number)
        folder.mkdir()
        works = make_works(number, seed=9)
        with scene(folder, works) as stage:
            stage.write_config(use=[])
            counts.append(len(statements(stage, to_ris(works))))
    assert counts[1] - counts[0] <= 20 * 40
