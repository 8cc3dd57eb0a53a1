"""The ledger: all or nothing, nothing twice, and nothing forgotten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.core.clusters import block_keys
from sync.core.items import from_item
from sync.core.merge import Change, Lost, Merged
from sync.core.plan import Place
from sync.core.record import Candidate, Entry, Gap, Problem, Provenance, Reading, Record
from sync.core.sketch import sketch
from sync.core.undo import Written
from sync.core.verdicts import Match, Verdict
from sync.errors import StateFault, UsageFault
from sync.state.answers import Answer
from sync.state.database import VERSION, Database
from sync.state.drops import DropRow
from sync.state.ledger import Ledger
from sync.state.snapshot import Snapshot

AT = "2026-11-23T08:00:00Z"
SAME = Match(Verdict.SAME, ("doi",))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(tmp_path / "state" / "ledger.sqlite")
    opened.start_run("r1", "sync", AT)
    yield opened
    opened.close()


def reading(ordinal: int, doi: str = "", *, readable: bool = True, title: str = "Kelp") -> Reading:
    entry = Entry(ordinal, (ordinal, ordinal), (ordinal * 10, ordinal * 10 + 9), ordinal * 10, (), f"raw {ordinal}")
    record = Record("journalArticle", fields={"title": title}, identifiers={"DOI": doi}) if readable else None
    return Reading(entry, record, (Problem("c", "m", ordinal),))


def arrived(ledger: Ledger, *readings: Reading | Gap) -> DropRow:
    library = ledger.snapshot("embedded:1").id
    row = ledger.records.arrive(
        library=library,
        sha256="ab" * 32,
        wish="w",
        path="a.ris",
        inbox="default",
        format_name="ris",
        arrived=AT,
        run="r1",
    )
    ledger.records.note(row.id, readings)
    ledger.records.close_reading(row.id)
    ledger.records.cluster(row.id, {}, {})
    return ledger.records.get(row.id)


def test_a_transaction_is_all_or_nothing_and_an_inner_one_is_part_of_the_outer(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.transaction():  # noqa: PT012 (the point is what is undone)
        ledger.start_run("r2", "sync", AT)
        with ledger.transaction():
            ledger.start_run("r3", "sync", AT)
        raise ZeroDivisionError
    assert ledger.database.value("SELECT COUNT(*) FROM runs") == 1


def test_a_ledger_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Database(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version = {VERSION + 1}")
    raw.close()
    with pytest.raises(StateFault, match="newer zotdrop"):
        Database(path)


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear colleague, " * 100)
    with pytest.raises(StateFault, match=r"letter\.txt"):
        Database(path)


def test_a_drop_is_found_by_bytes_library_and_wish(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1))
    assert ledger.records.find(row.library, "ab" * 32, "w") == row
    assert ledger.records.find(row.library, "ab" * 32, "other") is None
    assert ledger.records.find(row.library + 1, "ab" * 32, "w") is None
    assert [drop.id for drop in ledger.records.drops()] == [row.id]
    assert ledger.records.drops("done") == []
    with pytest.raises(LookupError):
        ledger.records.get(99)


def test_entries_and_gaps_are_counted(ledger: Ledger) -> None:
    row = arrived(ledger, Gap((1, 3), (0, 30), "banner"), reading(4), reading(5, readable=False))
    assert (row.entries, row.gaps, row.gap_lines, row.state) == (2, 1, 3, "open")
    assert [line.outcome for line in ledger.records.rows(row.id)] == ["waiting", "unreadable"]
    assert ledger.totals() == {"unreadable": 1, "waiting": 1}


def test_what_was_noted_before_a_crash_is_not_noted_twice(ledger: Ledger) -> None:
    row = arrived(ledger, Gap((1, 1), (0, 9), "x"), reading(1), reading(2))
    ledger.records.forget_gaps(row.id)
    ledger.records.note(row.id, [Gap((1, 1), (0, 9), "x"), reading(1), reading(2), reading(3)])
    ledger.records.close_reading(row.id)
    again = ledger.records.get(row.id)
    assert (again.entries, again.gaps) == (3, 1)


def test_records_come_as_sketches_in_the_order_of_the_drop(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1, "10.1000/a"), reading(2, readable=False), reading(3, "10.1000/A"))
    sketches = ledger.records.sketches(row.id)
    ids = [line.id for line in ledger.records.rows(row.id)]
    assert [(key, one.doi) for key, one in sketches.items()] == [(ids[0], "10.1000/a"), (ids[2], "10.1000/a")]


def test_a_doubtful_twin_of_the_drop_is_a_question_that_names_the_other(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1, "10.1000/a"), reading(2, "10.1000/a"))
    first, second = [line.id for line in ledger.records.rows(row.id)]
    ledger.records.cluster(row.id, {}, {second: (first, ("page-differs",))})
    lines = list(ledger.records.rows(row.id))
    assert [line.outcome for line in lines] == ["waiting", "asked"]
    assert lines[1].reasons == ("page-differs", "record:1")
    assert ledger.records.works_left(row.id) == 1
    ledger.records.settle(first, "ABCD2345", "created", ())
    assert ledger.records.close_drop_if_done(row.id)
    assert [(one.record, one.key) for one in ledger.questions.open()] == [(second, "ABCD2345")]
    ledger.questions.decide(second, AT, yes=False)
    assert ledger.questions.verdicts(second) == {"ABCD2345": False}
    assert ledger.questions.to_carry_out(row.library) == {row.id: [second]}
    assert [drop.id for drop in ledger.records.drops("open")] == [row.id]
    assert ledger.questions.open() == []


def test_a_question_about_a_record_without_item_has_to_wait_for_that_one(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1, "10.1000/a"), reading(2, "10.1000/a"))
    first, second = [line.id for line in ledger.records.rows(row.id)]
    ledger.records.cluster(row.id, {}, {second: (first, ("page-differs",))})
    with pytest.raises(UsageFault, match="decide on that one first"):
        ledger.questions.decide(second, AT, yes=True)


def test_a_follower_ends_as_its_survivor_does(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1, "10.1000/a"), reading(2, "10.1000/a"))
    first, second = [line.id for line in ledger.records.rows(row.id)]
    ledger.records.cluster(row.id, {second: (first, ("doi", "title"))}, {})
    assert ledger.records.works_left(row.id) == 1
    work = ledger.records.work(first)
    assert [member.id for member in work.members] == [second]
    ledger.records.settle(first, "ABCD2345", "created", ())
    lines = list(ledger.records.rows(row.id))
    assert [(line.outcome, line.key) for line in lines] == [("created", "ABCD2345"), ("merged", "ABCD2345")]
    assert lines[1].reasons == ("doi", "title")
    assert ledger.records.close_drop_if_done(row.id)
    assert ledger.records.get(row.id).state == "done"


@pytest.mark.parametrize("outcome", ["refused", "asked"])
def test_what_happens_to_a_survivor_is_not_called_merged(ledger: Ledger, outcome: str) -> None:
    row = arrived(ledger, reading(1, "10.1000/a"), reading(2, "10.1000/a"))
    first, second = [line.id for line in ledger.records.rows(row.id)]
    ledger.records.cluster(row.id, {second: (first, ("doi",))}, {})
    ledger.records.settle(first, None, outcome, ())
    assert [line.outcome for line in ledger.records.rows(row.id)] == [outcome, outcome]


def test_works_come_in_order_in_batches_until_they_are_settled(ledger: Ledger) -> None:
    row = arrived(ledger, *(reading(number) for number in range(1, 8)))
    batches = [[work.ordinal for work in batch] for batch in ledger.records.batches(row.id, 3)]
    assert batches == [[1, 2, 3], [4, 5, 6], [7]]
    ids = [line.id for line in ledger.records.rows(row.id)]
    ledger.records.planned(ids[0], "ABCD2345", "created", ())
    ledger.records.wait(ids[1], ("source-away",), ("pubmed",))
    assert [work.ordinal for batch in ledger.records.batches(row.id, 10) for work in batch] == [2, 3, 4, 5, 6, 7]
    ledger.records.again(ids[0])
    assert ledger.records.works_left(row.id) == 7
    assert not ledger.records.close_drop_if_done(row.id)


def test_changes_keep_where_each_value_came_from_and_sources_add_up(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1))
    (record,) = [line.id for line in ledger.records.rows(row.id)]
    merged = Record("journalArticle", fields={"title": "Kelp", "volume": "8"})
    change = Change("volume", "", "8", Provenance("crossref", "doi", AT))
    lost = Lost("volume", "9", Provenance("pubmed", "pmid", AT))
    ledger.records.keep_merged(record, Merged(merged, (change,), (lost,)), sources=["crossref"], owed=["pubmed"])
    ledger.records.keep_merged(record, Merged(merged, (change,), (lost,)), sources=["pubmed"], owed=[])
    assert ledger.records.work(record).record == merged
    (line,) = ledger.records.rows(row.id)
    assert line.sources == ("crossref", "pubmed")
    found = [tuple(found) for found in ledger.database.rows("SELECT field, new, source, how, at FROM changes")]
    assert found == [("volume", "8", "crossref", "doi", AT)]
    losing = [tuple(found) for found in ledger.database.rows("SELECT field, value, source, how, at FROM lost")]
    assert losing == [("volume", "9", "pubmed", "pmid", AT)]


@pytest.mark.parametrize(("kind", "volume"), [("journalArticle", "8"), ("map", None)])
def test_what_an_item_gained_later_says_where_it_came_from(ledger: Ledger, kind: str, volume: str | None) -> None:
    row = arrived(ledger, reading(1))
    (record,) = [line.id for line in ledger.records.rows(row.id)]
    now = Record(kind, fields={"title": "Other", "volume": "8"} if kind != "map" else {"title": "Other", "scale": "8"})
    name = "volume" if kind != "map" else "scale"
    ledger.records.gained(record, [Change(name, "", "8", Provenance("crossref", "doi", AT))], now, sources=["crossref"])
    (story,) = ledger.stories.of(str(record))
    assert story.item is not None
    assert (story.item["title"], story.item.get("volume")) == ("Kelp", volume)
    assert story.origins == {name: ("crossref", "doi", AT, "")}


def test_what_is_owed_is_remembered_by_source(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1))
    (record,) = [line.id for line in ledger.records.rows(row.id)]
    assert not ledger.records.any_owed()
    ledger.records.keep_merged(record, Merged(Record("book")), sources=[], owed=["pubmed"])
    ledger.records.settle(record, "ABCD2345", "created", ())
    assert ledger.records.owing(row.library) == [(record, "ABCD2345", ("pubmed",), False)]
    assert ledger.records.any_owed()
    assert ledger.waits()["items that a service still owes values"] == 1


def test_what_is_owed_is_counted_by_item_and_not_by_record(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1), reading(2), reading(3))
    for line, key in zip(ledger.records.rows(row.id), ("ABCD2345", "ABCD2345", "ABCD2346"), strict=True):
        ledger.records.keep_merged(line.id, Merged(Record("book")), sources=[], owed=["pubmed"])
        ledger.records.settle(line.id, key, "updated", ())
    assert ledger.waits()["items that a service still owes values"] == 2


def test_a_problem_that_shows_later_is_noted_once(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1))
    (record,) = [line.id for line in ledger.records.rows(row.id)]
    for _ in range(2):
        ledger.records.add_problem(record, Problem("late", "m"))
    (line,) = ledger.records.rows(row.id)
    assert [problem.code for problem in line.problems] == ["c", "late"]


def test_the_snapshot_finds_items_by_identifier_whatever_became_of_them(ledger: Ledger) -> None:
    snapshot = ledger.snapshot("embedded:1")
    item = {"itemType": "journalArticle", "title": "Kelp", "DOI": "10.1000/A"}
    note = {"itemType": "note", "note": "x"}
    snapshot.take([("ABCD2345", 3, item), ("ABCD2346", 4, {**item, "deleted": 1}), ("ABCD2347", 5, note)])
    assert snapshot.keys({"doi:10.1000/a", "pmid:9"}) == ["ABCD2345", "ABCD2346"]
    assert snapshot.keys([]) == []
    assert snapshot.count() == 1
    assert not snapshot.known("ABCD2347")
    snapshot.take([], gone=["ABCD2345"])
    places = [twin.place for key in ("ABCD2345", "ABCD2346") if (twin := snapshot.twin(key, SAME))]
    assert places == [Place.GONE, Place.TRASH]
    assert snapshot.data("ABCD2345") is None
    assert snapshot.twin("NONE2345", SAME) is None
    snapshot.reached(7)
    assert (snapshot.version, ledger.snapshot("embedded:1").id, ledger.snapshot("other").version) == (7, snapshot.id, 0)


def test_what_a_crowd_shares_tells_nothing_and_all_of_a_title_does(ledger: Ledger) -> None:
    snapshot = ledger.snapshot("embedded:crowd")
    titles = [f"Sleep and the crews of ferries on the way to {place} harbour" for place in range(100, 160)]
    snapshot.take([(f"ABCD{n:04d}", 1, {"itemType": "book", "title": title}) for n, title in enumerate(titles)])
    for number, title in enumerate(titles):
        blocks = block_keys(sketch(Record("book", fields={"title": title})))
        assert {block.partition(":")[0] for block in blocks} == {"head", "tail", "ends"}
        assert snapshot.keys(block for block in blocks if block.startswith("head:")) == []
        assert snapshot.keys(blocks) == [f"ABCD{number:04d}"]
    meetings = [
        {"itemType": "journalArticle", "title": "Abstracts of the yearly meeting of the society", "volume": str(volume)}
        for volume in range(60)
    ]
    snapshot.take([(f"WXYZ{n:04d}", 1, meeting) for n, meeting in enumerate(meetings)])
    assert "WXYZ0007" in snapshot.keys(block_keys(sketch(from_item(meetings[7])))), "all of a title is no crowd"
    many = [f"doi:10.1000/{number}" for number in range(300)]
    snapshot.take([("ABCD9999", 2, {"itemType": "journalArticle", "title": "Tides", "DOI": "10.1000/299"})])
    assert snapshot.keys(many) == ["ABCD9999"]


def test_no_key_is_left_of_an_item_that_was_forgotten_or_of_an_older_way_to_make_keys(ledger: Ledger) -> None:
    snapshot, sql = ledger.snapshot("embedded:1"), ledger.database.connection
    book = {"itemType": "book", "title": "Tides and the people who read them"}
    snapshot.planned("ABCD2345", book, sketch(from_item(book)))
    count = "SELECT COUNT(*) FROM item_blocks"
    assert ledger.database.value(count) == len(block_keys(sketch(from_item(book)))) > 0
    snapshot.forget("ABCD2345")
    assert ledger.database.value(count) == 0
    snapshot.take([("ABCD2345", 1, book)])
    sql.execute("INSERT INTO item_blocks VALUES (?, 'head:of an older version', 'ABCD2345')", (snapshot.id,))
    sql.execute("UPDATE libraries SET keyed = keyed - 1")
    assert Snapshot(ledger.database, "embedded:1").keys(["head:of an older version"]) == []
    assert ledger.database.value(count) == len(block_keys(sketch(from_item(book))))


def test_what_we_made_stays_ours_and_its_base_is_what_the_library_answered(ledger: Ledger) -> None:
    snapshot = ledger.snapshot("embedded:1")
    snapshot.landed("ABCD2345", 3, {"itemType": "book", "title": "a"}, made=True)
    snapshot.landed("ABCD2345", 4, {"itemType": "book", "title": "b"}, made=False)
    snapshot.take([("ABCD2345", 5, {"itemType": "book", "title": "person"})])
    twin = snapshot.twin("ABCD2345", SAME)
    assert twin is not None
    assert (twin.made, twin.version, twin.data["title"], (twin.base or {})["title"]) == (True, 5, "person", "b")
    snapshot.forget("ABCD2345")
    assert snapshot.twin("ABCD2345", SAME) is None
    assert snapshot.known("ABCD2345")


def test_the_outbox_keeps_its_order_until_it_is_answered(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1), reading(2))
    one, two = [line.id for line in ledger.records.rows(row.id)]
    outbox = ledger.outbox(row.library)
    first = outbox.put("r1", one, "ABCD2345", 0, {"itemType": "book"})
    second = outbox.put("r1", two, "ABCD2346", 7, {"title": "x"})
    assert outbox.pending() == [first, second]
    assert outbox.pending(1) == [first]
    assert outbox.waits(one)
    assert outbox.busy("ABCD2346")
    outbox.answered(first, "done")
    assert outbox.pending() == [second]
    assert not outbox.waits(one)
    outbox.journal(first, AT, None, {"itemType": "book"})
    outbox.journal(second, AT, {}, {"title": "x"})
    written = {
        "ABCD2345": [Written("ABCD2345", None, {"itemType": "book"})],
        "ABCD2346": [Written("ABCD2346", {}, {"title": "x"})],
    }
    assert outbox.written("r1") == written


def test_a_kept_answer_ages_and_an_empty_one_ages_faster(ledger: Ledger) -> None:
    candidate = Candidate(Record("book", fields={"title": "a"}), Provenance("crossref", "doi", AT))
    ledger.answers.keep("crossref", "doi:10.1000/a", AT, [candidate])
    ledger.answers.keep("crossref", "doi:10.1000/b", AT, [])
    before, after = "2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z"
    assert ledger.answers.get("crossref", "doi:10.1000/a", found_since=before, absent_since=after) == Answer(
        (candidate,)
    )
    assert ledger.answers.get("crossref", "doi:10.1000/a", found_since=after, absent_since=before) is None
    assert ledger.answers.get("crossref", "doi:10.1000/b", found_since=after, absent_since=before) == Answer()
    assert ledger.answers.get("crossref", "doi:10.1000/b", found_since=before, absent_since=after) is None
    assert ledger.answers.get("pubmed", "doi:10.1000/a", found_since=before, absent_since=before) is None


def test_who_registered_an_unknown_doi_is_kept_with_the_answer(ledger: Ledger) -> None:
    ledger.answers.keep("crossref", "doi:10.1000/d", AT, [], "datacite")
    assert ledger.answers.get("crossref", "doi:10.1000/d", found_since="", absent_since="") == Answer((), "datacite")


def test_old_answers_go_and_above_the_size_the_oldest(ledger: Ledger) -> None:
    candidate = Candidate(Record("book", fields={"title": "a" * 500}), Provenance("crossref", "doi", AT))
    for day in range(1, 10):
        ledger.answers.keep("crossref", f"doi:10.1000/{day}", f"2026-11-0{day}T00:00:00Z", [candidate])

    def kept() -> list[str]:
        return [row[0][-1] for row in ledger.database.rows("SELECT asked FROM answers ORDER BY at")]

    assert ledger.answers.prune("2026-11-03T00:00:00Z", 1_000_000) == 2
    assert kept() == ["3", "4", "5", "6", "7", "8", "9"]
    size = ledger.database.value("SELECT size FROM answers LIMIT 1")
    assert ledger.answers.prune("", 3 * size) == 4
    assert kept() == ["7", "8", "9"]
    assert ledger.answers.prune("", 0) == 3


def _old(path: Path, version: int) -> sqlite3.Connection:
    """A ledger as that version of the tables made it."""
    old = sqlite3.connect(path)
    old.executescript((Path(__file__).parent / "ledgers" / f"version-{version}.sql").read_text(encoding="utf-8"))
    old.execute(f"PRAGMA user_version = {version}")
    old.execute("INSERT INTO runs (id, kind, started) VALUES ('r', 'sync', 'x')")
    old.execute("INSERT INTO libraries (identity, version) VALUES ('embedded:1', 7)")
    data = json.dumps({"key": "AAAA2222", "itemType": "book", "title": "Tides and the people who read them"})
    old.execute("INSERT INTO items VALUES (1, 'AAAA2222', 7, 'alive', ?)", (data,))
    return old


@pytest.mark.parametrize("version", [1, 2])
def test_what_an_older_version_kept_is_found_by_this_one(tmp_path: Path, version: int) -> None:
    old = _old(tmp_path / "old.sqlite", version)
    old.commit()
    old.close()
    ledger = Ledger.open(tmp_path / "old.sqlite")
    snapshot = ledger.snapshot("embedded:1")
    one = sketch(Record("book", fields={"title": "Tides and the People Who Read Them"}))
    assert snapshot.version == 0, "the library is read once more: its notes and merged items were not kept before"
    assert snapshot.keys(block_keys(one)) == ["AAAA2222"]
    assert snapshot.sketches(["AAAA2222"]) == {"AAAA2222": (one, False)}
    new = Ledger.open(tmp_path / "new.sqlite").database
    tables = "SELECT name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    assert [row[0] for row in ledger.database.rows(tables)] == [row[0] for row in new.rows(tables)]
    for name in (row[0] for row in new.rows("SELECT name FROM sqlite_master WHERE type = 'table'")):
        columns = [{row[1] for row in one.rows(f"PRAGMA table_info({name})")} for one in (ledger.database, new)]
        assert columns[0] == columns[1], name
    ledger.close()


def test_tables_of_the_first_version_become_those_of_this_one(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    old = _old(path, 1)
    old.execute(
        "INSERT INTO drops (library, sha256, wish, path, inbox, arrived, state, first_run) VALUES (1, 'a', 'w', 'p', 'i', 'x', 'done', 'r')"
    )
    old.execute("INSERT INTO answers VALUES ('crossref', 'doi:10.1/x', 'x', '[]')")
    old.commit()
    old.close()
    ledger = Ledger.open(path)
    assert ledger.database.value("SELECT size FROM answers") == 2
    (drop,) = ledger.records.drops()
    assert (drop.sources, drop.titles) == ((), False)

    def tables(one: Ledger) -> set[tuple[str, str]]:
        shape = one.database.rows("SELECT name, type FROM sqlite_master")
        columns = one.database.rows(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        )
        return {(row[0], row[1]) for found in (shape, columns) for row in found}

    fresh = Ledger.open(":memory:")
    assert tables(ledger) == tables(fresh)
    ledger.close()
    fresh.close()


@pytest.mark.parametrize("version", [3, 4])
def test_tables_of_later_versions_become_those_of_this_one(tmp_path: Path, version: int) -> None:
    old = sqlite3.connect(tmp_path / "old.sqlite")
    old.executescript((Path(__file__).parent / "ledgers" / f"version-{version}.sql").read_text(encoding="utf-8"))
    old.execute(f"PRAGMA user_version = {version}")
    old.close()
    old_ledger, fresh = Ledger.open(tmp_path / "old.sqlite"), Ledger.open(":memory:")
    columns = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c ORDER BY 1, 2"
    indexes = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' ORDER BY 1"
    for told in (columns, indexes):
        made = [[tuple(row) for row in one.database.rows(told)] for one in (old_ledger, fresh)]
        assert made[0] == made[1]
    old_ledger.close()
    fresh.close()


def test_a_wish_is_taken_once_and_ends_with_its_answer(ledger: Ledger) -> None:
    wishes = ledger.wishes
    number = wishes.make("sync", {"paths": ["a"]}, AT)
    taken = wishes.take()
    assert taken is not None
    assert (taken.id, taken.arguments) == (number, {"paths": ["a"]})
    assert wishes.take() is None
    assert not wishes.withdraw(number)
    wishes.tell(number, "half")
    assert wishes.get(number).progress == "half"
    wishes.release()
    assert wishes.withdraw(number)
    other = wishes.make("sync", {}, AT)
    wishes.take()
    wishes.end(other, 5, {"reports": []})
    ended = wishes.get(other)
    assert (ended.state, ended.exit_code, ended.answer) == ("done", 5, {"reports": []})
    with pytest.raises(LookupError):
        wishes.get(99)


def test_a_copy_is_whole_and_apart(ledger: Ledger, tmp_path: Path) -> None:
    arrived(ledger, reading(1))
    copy = ledger.copy_to(tmp_path / "copy.sqlite")
    copy.start_run("r9", "sync", AT)
    assert copy.totals() == ledger.totals() == {"waiting": 1}
    assert ledger.database.value("SELECT COUNT(*) FROM runs") == 1
    copy.close()


def test_the_last_report_is_kept(ledger: Ledger) -> None:
    assert ledger.last_run() is None
    ledger.end_run("r1", AT, {"run": "r1"})
    assert ledger.last_run() == {"run": "r1"}


def test_a_problem_that_is_no_more_is_taken_back_and_others_stay(ledger: Ledger) -> None:
    row = arrived(ledger, reading(1))
    (record,) = (found.id for found in ledger.records.rows(row.id))
    ledger.records.add_problem(record, Problem("file-quota", "no room"))
    ledger.records.take_back(record, {"file-quota", "file-waits"})
    assert [problem.code for found in ledger.records.rows(row.id) for problem in found.problems] == ["c"]


def test_of_two_runs_that_end_in_one_second_the_later_is_the_last(ledger: Ledger) -> None:
    ledger.end_run("r1", AT, {"run": "r1"})
    ledger.start_run("r0", "sync", AT)
    ledger.end_run("r0", AT, {"run": "r0"})
    assert ledger.last_run() == {"run": "r0"}
