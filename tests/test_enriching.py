"""What Crossref and PubMed add, end to end: the real command, real files, services on loopback."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync.core.quiet import is_quiet
from sync.libraries.base import Receipt, Write
from sync.libraries.embedded import Embedded
from tests.scene import NOWHERE, Scene, outcomes, scene
from tests.servers.works import make_works, to_ris
from tests.servers.works_special import SPECIAL

WORKS = [work for work in make_works(40, seed=8) if work.pmid and work.volume and work.authors[0].last]
OPEN = replace(
    SPECIAL["retracted"], title="Tidal water and the healing of sprains"
)  # as it was before it was retracted


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        yield made


def problems(report: dict[str, Any]) -> list[str]:
    return [problem["code"] for drop in report["drops"] for record in drop["records"] for problem in record["problems"]]


def notes(stage: Scene) -> list[str]:
    lines = stage.run("export").stdout.decode().splitlines()
    return [item["note"] for item in map(json.loads, lines) if item["itemType"] == "note"]


# ---- retractions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["embedded", "user"])
@pytest.mark.parametrize("use", [["crossref"], ["pubmed"], ["pubmed", "crossref"]])
def test_a_retraction_is_a_tag_a_note_and_a_line_of_the_report_and_no_change_of_the_title(
    stage: Scene, library: str, use: list[str]
) -> None:
    stage.write_config(library, use=use)
    path = str(stage.drop("old.ris", to_ris([OPEN])))
    report = stage.sync(path)
    assert outcomes(report) == {"created": 1}
    assert problems(report) == ["retracted"]
    (item,) = stage.items()
    assert item["title"] == "Tidal water and the healing of sprains"
    assert {"tag": "Retracted"} in item["tags"]
    if library == "embedded":
        (note,) = notes(stage)
        assert "was retracted" in note
        assert ("special.retracted.notice" in note) or ("89000002" in note)


def test_the_report_names_retracted_works_without_being_asked_to(stage: Scene) -> None:
    said = stage.run("sync", str(stage.drop("old.ris", to_ris([OPEN])))).stdout.decode()
    assert "retracted: the work was retracted: DOI 10.5555/special.retracted.notice" in said


def test_an_item_of_ours_that_was_retracted_since_gains_tag_and_note_once(stage: Scene) -> None:
    stage.write_config(use=[])
    stage.sync(str(stage.drop("first.ris", to_ris([OPEN]))))
    assert stage.items()[0]["tags"] == []
    stage.write_config()
    second = stage.sync(str(stage.drop("second.ris", to_ris([OPEN], newline="\n"))))
    assert outcomes(second) == {"updated": 1}
    assert {"tag": "Retracted"} in stage.items()[0]["tags"]
    assert len(notes(stage)) == 1
    path = str(stage.drop("third.ris", "\n" + to_ris([OPEN], newline="\n")))
    third = stage.sync("--collection", "zotdrop/second", path)
    assert outcomes(third) == {"left": 1}
    assert len(notes(stage)) == 1


def test_a_tag_that_a_person_took_away_stays_away(stage: Scene) -> None:
    stage.sync(str(stage.drop("first.ris", to_ris([OPEN]))))
    (item,) = stage.items()
    library = Embedded(stage.folder / "library.sqlite", now=lambda: "2026-11-23T08:00:00Z")
    tags = [tag for tag in item["tags"] if tag["tag"] != "Retracted"]
    (answer,) = library.write([Write(item["key"], item["version"], {"tags": tags})])
    assert isinstance(answer, Receipt)
    library.close()
    stage.sync(str(stage.drop("second.ris", to_ris([OPEN], newline="\n"))))
    assert {"tag": "Retracted"} not in stage.items()[0]["tags"]


def test_a_preprint_that_was_published_says_where(stage: Scene) -> None:
    report = stage.sync(str(stage.drop("pre.ris", to_ris([SPECIAL["preprint"]]))))
    assert problems(report)[-1] == "preprint-published"
    (note,) = notes(stage)
    assert "https://doi.org/10.5555/special.published" in note


# ---- finding without an identifier --------------------------------------------------------------------------------


def test_records_without_identifiers_are_found_by_citation_and_then_asked_for_at_crossref(stage: Scene) -> None:
    bare = to_ris(WORKS[:20], without={"DO", "AN", "UR", "AB"})
    report = stage.sync(str(stage.drop("bare.ris", bare)))
    assert outcomes(report) == {"created": 20}
    items = {item["title"]: item for item in stage.items()}
    for work in WORKS[:20]:
        item = items[work.plain_title]
        assert (item["PMID"], item["DOI"].lower()) == (work.pmid, work.doi.lower())
    assert all(record["sources"] == ["pubmed", "crossref"] for record in report["drops"][0]["records"])
    assert report["requests"]["pubmed"] == 2
    asked = len(stage.ncbi.log) + len(stage.crossref.log)
    stage.sync(str(stage.drop("again.ris", "\n" + bare)))
    assert len(stage.ncbi.log) + len(stage.crossref.log) == asked


ELSEWHERE = [replace(work, pmid="", pmcid="") for work in WORKS[20:24]]


@pytest.fixture
def known_to_crossref(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, ELSEWHERE) as made:
        yield made


def test_a_work_that_only_crossref_has_is_found_by_its_words(known_to_crossref: Scene) -> None:
    stage, bare = known_to_crossref, to_ris(ELSEWHERE, without={"DO", "AN", "UR", "AB"})
    report = stage.sync(str(stage.drop("bare.ris", bare)))
    assert outcomes(report) == {"created": 4}
    items = {item["title"]: item["DOI"].lower() for item in stage.items()}
    assert items == {work.plain_title: work.doi.lower() for work in ELSEWHERE}
    assert report["requests"]["crossref"] == 4
    story = json.loads(stage.run("show", "--json", stage.items()[0]["key"]).stdout)
    assert story["origins"]["DOI"][:2] == ["crossref", "search"]
    assert stage.sync(str(stage.drop("again.ris", "\n" + bare)))["requests"]["crossref"] == 0


def test_a_work_that_is_only_likely_is_told_and_not_used(known_to_crossref: Scene) -> None:
    stage, one = known_to_crossref, ELSEWHERE[0]
    name = f"{one.authors[0].last}, {one.authors[0].first}"
    text = f"TY  - JOUR\nTI  - {one.plain_title}\nAU  - {name}\nPY  - {one.date[0]}\nER  - \n"
    report = stage.sync(str(stage.drop("bare.ris", text)))
    assert problems(report) == ["identifier-likely"]
    (problem,) = report["drops"][0]["records"][0]["problems"]
    assert one.doi.lower() in problem["message"].lower()
    assert "DOI" not in stage.items()[0]


def test_searches_above_the_limit_are_made_by_the_next_run(known_to_crossref: Scene) -> None:
    stage = known_to_crossref
    stage.config.write_text(
        stage.config.read_text().replace("[sources.crossref]", "[sources.crossref]\nsearches_per_run = 3")
    )
    path = str(stage.drop("bare.ris", to_ris(ELSEWHERE, without={"DO", "AN", "UR", "AB"})))
    stage.run("sync", path)
    assert sorted(bool(item.get("DOI")) for item in stage.items()) == [False, True, True, True]
    stage.run("sync")
    assert all(item.get("DOI") for item in stage.items())
    assert len([request for request in stage.crossref.log if request.get("query.bibliographic")]) == 4


def test_a_citation_that_leads_to_another_work_is_not_used(stage: Scene) -> None:
    text = to_ris(WORKS[:1], without={"DO", "AN", "UR"}).replace(
        WORKS[0].plain_title, "Something else that was never written"
    )
    report = stage.sync(str(stage.drop("bare.ris", text)))
    (item,) = stage.items()
    assert "PMID" not in item
    assert problems(report) == []
    assert report["drops"][0]["records"][0]["sources"] == []


def test_where_titles_may_not_be_told_only_identifiers_leave_the_machine(stage: Scene) -> None:
    stage.write_config(inbox_title_search=False)
    text = to_ris(WORKS[:2], without={"DO", "AN", "UR"}) + "\n" + to_ris(WORKS[2:3])
    report = stage.sync(str(stage.drop("bare.ris", text)))
    assert outcomes(report) == {"created": 3}
    said = " ".join(
        f"{request.path}?{request.query}{request.body!r}" for request in (*stage.ncbi.log, *stage.crossref.log)
    )
    assert "ecitmatch" not in said
    assert WORKS[2].doi.split("/")[1] in said
    for work in WORKS[:3]:
        assert work.authors[0].last not in said


def test_what_is_owed_is_asked_for_under_the_rules_of_its_own_inbox(stage: Scene) -> None:
    stage.write_config(inbox_title_search=False, pubmed_url=NOWHERE)
    stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:1]) + "\n" + to_ris(WORKS[1:2], without={"DO", "AN", "UR"}))))
    stage.write_config()
    assert stage.sync()["filled"] == 1
    assert not any("ecitmatch" in request.path for request in stage.ncbi.log)


# ---- trust --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", [["crossref"], ["pubmed"]])
def test_a_wrong_doi_fills_nothing_and_is_told(stage: Scene, use: list[str]) -> None:
    stage.write_config(use=use)
    wrong = to_ris(
        [replace(WORKS[0], title="Cold porridge and the moods of harbour pilots", pmid="")], without={"AB", "VL"}
    )
    report = stage.sync(str(stage.drop("wrong.ris", wrong)))
    assert outcomes(report) == {"created": 1}
    assert problems(report) == ["source-contradicts"]
    (item,) = stage.items()
    assert "abstractNote" not in item
    assert "volume" not in item
    said = stage.run("sync", str(stage.drop("wrong2.ris", "\n" + wrong))).stdout.decode()
    assert "is the identifier in the drop right?" in said


def test_a_doi_that_nobody_knows_is_told(stage: Scene) -> None:
    report = stage.sync(
        str(stage.drop("none.ris", "TY  - JOUR\nTI  - A lost paper on lost things\nDO  - 10.5555/none\nER  - \n"))
    )
    assert problems(report) == ["doi-unknown"]


# ---- better values ------------------------------------------------------------------------------------------------


def test_initials_short_journals_and_bare_years_give_way_to_the_full_ones(stage: Scene) -> None:
    work = next(work for work in WORKS if len(work.date) > 1 and " " in work.authors[0].first and work.abbreviation)
    lines = [
        "TY  - JOUR",
        *(f"AU  - {a.last}, {a.initials}" if not a.group else f"AU  - {a.group}" for a in work.authors),
        f"TI  - {work.plain_title}",
        f"JO  - {work.abbreviation}",
        f"PY  - {work.date[0]}",
        f"DO  - {work.doi}",
        "AB  - [Abstract]",
        "ER  - ",
    ]
    stage.sync(str(stage.drop("short.ris", "\n".join(lines))))
    (item,) = stage.items()
    assert item["creators"][0]["firstName"] == work.authors[0].first
    assert (item["publicationTitle"], item["journalAbbreviation"]) == (
        work.journal.replace("&amp;", "&"),
        work.abbreviation,
    )
    assert item["date"].startswith(f"{work.date[0]}-")
    ledger = sqlite3.connect(stage.folder / "state" / "zotdrop.sqlite")
    told = {row[0]: row[1] for row in ledger.execute("SELECT field, how FROM changes")}
    assert told["creators"].endswith("fuller names")
    assert told["publicationTitle"].endswith("full journal title")
    assert told["date"].endswith("more exact date")
    ledger.close()


def test_a_policy_keeps_or_prefers_field_by_field(stage: Scene) -> None:
    text = to_ris(WORKS[:1], without={"AB", "KW", "VL"}).replace("TI  - ", "TI  - ").replace("IS  - ", "IS  - 99")
    rules = '{ volume = "keep", issue = "prefer crossref", tags = "keep" }'
    stage.sync(str(stage.drop("a.ris", text)), ZOTDROP__MERGE__FIELDS=rules)
    (item,) = stage.items()
    assert "volume" not in item
    assert (item.get("issue"), item["tags"]) == (WORKS[0].issue, [])
    assert item["abstractNote"]


def test_what_lost_is_kept_in_the_ledger(stage: Scene) -> None:
    stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:8], without={"LA", "UR"}))))
    ledger = sqlite3.connect(stage.folder / "state" / "zotdrop.sqlite")
    rows = ledger.execute("SELECT field, value, source FROM lost").fetchall()
    assert {row[2] for row in rows} <= {"crossref", "pubmed"}
    assert "language" in {row[0] for row in rows}  # `en` of the one, `eng` of the other
    ledger.close()


# ---- long series --------------------------------------------------------------------------------------------------


def test_a_long_series_waits_for_the_quiet_hours_and_nobody_waits_for_it(stage: Scene) -> None:
    stage.write_config(inbox_enrich_wait="1h")
    path = str(stage.drop("a.ris", to_ris(WORKS[:10])))
    report = stage.sync(path, ZOTDROP__SOURCES__PUBMED__OFF_PEAK_ABOVE="0")
    assert outcomes(report) == {"created": 10}
    if is_quiet(datetime.now(UTC)):
        assert report["requests"]["pubmed"] > 0
        return
    assert report["requests"]["pubmed"] == 0
    assert "off_peak_above = 0" in report["away"]["pubmed"]
    assert all(record["owed"] == ["pubmed"] for record in report["drops"][0]["records"])
    again = stage.sync(ZOTDROP__SOURCES__PUBMED__OFF_PEAK_ABOVE="0")
    assert (again["filled"], again["requests"]["pubmed"]) == (0, 0)
    filled = stage.sync()
    assert filled["filled"] > 0
    assert filled["requests"]["pubmed"] == 2


def test_show_says_where_each_value_came_from_and_what_lost(stage: Scene) -> None:
    work = next(work for work in WORKS if work.abbreviation and len(work.date) > 1)
    text = to_ris([work], without={"AB", "T2", "DA"})
    report = stage.sync(str(stage.drop("a.ris", text + "\n" + text)))
    key = report["drops"][0]["records"][0]["key"]
    said = stage.run("show", key).stdout.decode()
    assert f"created {key}" in said
    assert "joined by: record 2 of the same drop\n    for: doi agree (+4.8), " in said
    assert f"volume: {work.volume}  [drop]" in said
    assert "[pubmed, doi, " in said
    assert f"instead of {work.date[0]}" in said
    assert "lost: language: eng" in said
    (story,) = [json.loads(line) for line in stage.run("show", "--json", key).stdout.decode().splitlines()]
    assert story["origins"]["abstractNote"][0] == "pubmed"
    assert story["item"]["title"] == work.plain_title
    assert stage.run("show", str(story["record"])).stdout.decode() == said
    assert b"no record of any drop" in stage.run("show", "NOSUCH22", code=2).stderr


def test_an_identifier_that_comes_late_tells_of_a_twin_and_merges_nothing(stage: Scene) -> None:
    work = WORKS[0]
    stage.write_config(use=[])
    numbered = to_ris([work], without={"DO", "UR"}).replace("AN  - ", "DB  - PubMed\r\nAN  - ")
    stage.sync(str(stage.drop("by-number.ris", numbered)))
    stage.write_config(use=["pubmed"], pubmed_url=NOWHERE)
    place = {"AN", "T2", "J2", "PY", "DA", "VL", "IS", "SP", "EP", "SN", "AB", "KW", "UR"}
    late = stage.sync(str(stage.drop("by-doi.ris", to_ris([work], without=place))))
    assert outcomes(late) == {"created": 1}
    stage.write_config(use=["pubmed"])
    assert stage.sync()["filled"] == 1
    assert len(stage.items()) == 2
    said = stage.run("show", late["drops"][0]["records"][0]["key"]).stdout.decode()
    assert "! twice-in-library: the library holds this work 2 times" in said


@pytest.mark.parametrize(("keywords", "tags"), [("off", False), ("automatic", True)])
def test_what_is_filled_later_brings_keywords_only_as_the_inbox_wants_them(
    stage: Scene, keywords: str, tags: bool
) -> None:
    text = to_ris(WORKS[:4], without={"KW"})
    stage.write_config(pubmed_url=NOWHERE, crossref_url=NOWHERE, inbox_keywords=keywords)
    stage.sync(str(stage.drop("a.ris", text)))
    stage.write_config(inbox_keywords=keywords)
    assert stage.sync()["filled"] > 0
    assert any(item["tags"] for item in stage.items()) is tags
