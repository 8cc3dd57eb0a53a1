"""What a run costs, counted: statements, commits, requests, what is parsed. Nothing here looks at a clock."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sync import orders
from sync.config import find_and_load
from sync.core.record import Record
from sync.sources import crossref as crossref_source
from sync.sources import pubmed as pubmed_source
from sync.sources.base import Finding
from sync.state import database, records, snapshot
from sync.steps import deciding, enriching
from sync.steps.asking import desk
from sync.steps.enriching import Batch
from sync.steps.tools import Rules, Run
from tests.scene import Scene, scene
from tests.servers.base import Request
from tests.servers.works import Work, make_works, to_ris
from tests.servers.zotero import API_KEY
from tests.state.test_cost import carried_out, statements

STATEMENTS = 32  # of the ledger for a new record that two sources know, without those for each change that they make; three of them
# look whether its key was deleted before this ledger was made, and whether a person has decided on the same record before
CHANGES = ("INSERT OR REPLACE INTO changes", "INSERT OR REPLACE INTO lost")
PART, READ, BATCH = 50, 500, 200  # records of a write, of a commit while reading, of a round of questions


def counted(stage: Scene, text: str) -> Counter[str]:
    """The statements of a sync, those of changes left out, by their first words."""
    seen = [sql for sql in statements(stage, text) if not sql.startswith(CHANGES)]
    return Counter(" ".join(sql.split()[:2]) for sql in seen)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Counter[str]]:
    """Statements of runs over so many records."""
    found = {}
    for number in (50, 150):
        works = make_works(number, seed=9)
        with scene(tmp_path_factory.mktemp(str(number)), works) as stage:
            found[number] = counted(stage, to_ris(works, without={"AN"}))
    return found


def test_a_record_costs_so_many_statements_and_no_more(runs: dict[int, Counter[str]]) -> None:
    more = runs[150].total() - runs[50].total()
    assert more <= STATEMENTS * 100
    assert more > 20 * 100  # the count counts


def test_a_part_is_committed_when_it_is_decided_and_when_it_is_answered(runs: dict[int, Counter[str]]) -> None:
    parts = (150 - 50) // PART
    assert runs[150]["COMMIT"] - runs[50]["COMMIT"] == 2 * parts
    assert runs[150]["BEGIN IMMEDIATE"] == runs[150]["COMMIT"]


def asked(log: list[Request], word: str) -> int:
    return sum(word in request.path for request in log)


def test_requests_are_as_few_as_the_services_allow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOTERO_API_KEY", API_KEY)
    count = 230
    works = make_works(count, seed=9)
    with scene(tmp_path, works) as stage:
        stage.write_config("group")
        report = carried_out(stage, orders.Order(paths=(str(stage.drop("a.ris", to_ris(works, without={"AN"}))),)))
        assert report.drops[0].outcomes["created"] == count
        rounds = math.ceil(count / BATCH)
        assert len(stage.crossref.log) == math.ceil(BATCH / 50) + math.ceil((count - BATCH) / 50)
        assert (asked(stage.ncbi.log, "esearch"), asked(stage.ncbi.log, "efetch")) == (rounds, rounds)
        writes = [r for r in stage.zotero.log if r.method == "POST" and r.path.endswith("/items")]
        assert len(writes) == math.ceil(count / PART)
        assert report.requests == {
            "crossref": len(stage.crossref.log),
            "pubmed": len(stage.ncbi.log),
            "zotero": len(stage.zotero.log),
        }


def test_notes_fill_the_requests_that_items_leave_room_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOTERO_API_KEY", API_KEY)
    texts = [to_ris([work], without={"AN"}) for work in make_works(100, seed=9)]
    noted = [text.replace("\nER  -", "\nN1  - Seen at the library\r\nER  -") for text in texts[::5]]
    with scene(tmp_path) as stage:
        stage.write_config("group", use=[])
        path = stage.drop("a.ris", "\r\n".join(noted + [text for n, text in enumerate(texts) if n % 5]))
        report = carried_out(stage, orders.Order(paths=(str(path),)))
        assert report.drops[0].outcomes["created"] == 100
        writes = [r for r in stage.zotero.log if r.method == "POST" and r.path.endswith("/items")]
        assert [len(request.json()) for request in writes] == [50, 50, 20]


def test_a_doi_that_pubmed_tells_fills_the_list_of_those_that_the_drop_has(tmp_path: Path) -> None:
    works = make_works(100, seed=9)
    text = to_ris(works[:60], without={"AN"}) + "\r\n" + to_ris(works[60:], without={"DO", "UR"})
    with scene(tmp_path, works) as stage:
        report = carried_out(stage, orders.Order(paths=(str(stage.drop("a.ris", text)),)))
        assert report.drops[0].outcomes["created"] == 100
        assert len(stage.crossref.log) == 2  # 60 and 40 are one hundred, not two lists and one more


class Asking:
    """A source that notes how many records come with each call."""

    name, at_once = "crossref", 1

    def __init__(self) -> None:
        self.calls: list[int] = []

    def question(self, record: Record, *, citations: bool = True) -> str:  # noqa: ARG002
        return f"doi:{record.identifiers['DOI']}"

    def cuts(self, records: Sequence[Record]) -> Sequence[int]:
        return [1] * len(records)

    def find(self, records: Sequence[Record], *, citations: bool = True) -> Sequence[Finding]:  # noqa: ARG002
        self.calls.append(len(records))
        return [Finding(agency=record.identifiers["DOI"]) for record in records]

    def requests_for(self, questions: int) -> int:
        return questions


def test_records_that_share_a_doi_ask_for_it_once_and_each_gets_the_answer() -> None:
    source = Asking()
    tools = cast("Any", SimpleNamespace(sources={"crossref": source}, offline=False))
    records_ = {n: Record("journalArticle", identifiers={"DOI": f"10.1/{n % 2}"}) for n in range(120)}
    with desk(tools, Run("r"), Rules("", sources=("crossref",))) as table:
        groups = table._ask(Batch((), records_, {})).groups
        found = {n: finding.agency for group in groups for n, finding in group.found(range(120))[0].items()}
    assert source.calls == [1, 1]
    assert found == {n: f"10.1/{n % 2}" for n in range(120)}


@contextmanager
def counting(patch: pytest.MonkeyPatch, *places: tuple[Any, str]) -> Iterator[Counter[str]]:
    """How often functions are called under these names."""
    calls: Counter[str] = Counter()

    def around(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def counted_call(*args: Any, **more: Any) -> Any:
            calls[name] += 1
            return call(*args, **more)

        return counted_call

    with patch.context() as within:
        for module, name in places:
            within.setattr(module, name, around(getattr(module, name), name))
        yield calls


def sync(folder: Path, works: tuple[Work, ...]) -> int:
    """A sync of these works; the bytes that the services sent as answers to what was found."""
    with scene(folder, works) as stage:
        carried_out(stage, orders.Order(paths=(str(stage.drop("a.ris", to_ris(works, without={"AN"}))),)))
        return len(stage.crossref.log) + asked(stage.ncbi.log, "efetch")


def test_a_record_is_sketched_once_as_it_came_and_once_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = ((records, "sketch"), (deciding, "sketch"), (snapshot, "sketch"), (enriching, "outline"))
    with counting(monkeypatch, *places) as calls:
        sync(tmp_path, make_works(60, seed=9))
    assert calls == {"sketch": 2 * 60, "outline": 3 * 60}  # its outline, and those of two answers


def test_an_answer_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = ((pubmed_source, "parse"), (crossref_source, "decode"), (crossref_source, "work_to_record"))
    with counting(monkeypatch, *places, (pubmed_source, "article_to_record")) as calls:
        answers = sync(tmp_path, make_works(60, seed=9))
    assert calls["parse"] + calls["decode"] == answers == 1 + 2
    assert (calls["work_to_record"], calls["article_to_record"]) == (60, 60)


def test_what_the_ledger_holds_is_read_back_a_few_times_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes of JSON decoded for each record, in records as they were read."""
    decoder, total = database._DECODER, 0

    class Counting:
        def decode(self, text: str) -> Any:
            nonlocal total
            total += len(text)
            return decoder.decode(text)

    monkeypatch.setattr(database, "_DECODER", Counting())
    works = make_works(60, seed=9)
    with scene(tmp_path, works) as stage:
        path = stage.drop("a.ris", to_ris(works, without={"AN"}))
        (report,) = orders.carry_out(
            find_and_load(stage.config),
            orders.Order(paths=(str(path),)),
            kind="sync",
            stop=Event(),
            tell=lambda _text, _done, _total: None,
        )
    assert report.drops[0].outcomes["created"] == 60
    assert 60 * 500 < total < 5 * path.stat().st_size
