"""The main job end to end: the real command, real files, services on loopback."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.scene import NOWHERE, ROOT, SAMPLE, Scene, outcomes, scene
from tests.servers.works import make_works, to_ris
from tests.servers.zotero import API_KEY

CORPUS = ROOT / "tests" / "corpus"
WORKS = make_works(12, seed=3)
AUTHORS = [
    "Thapar", "Nguyen", "Khan", "Fanaieyan", "Kishimoto", "Liu", "Bolea-Alamañac", "Leon-Carlyle", "O’Riordan", "Keresteci",
    "Bhattacharyya",
]  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, WORKS) as made:
        yield made


def is_the_sample(item: dict[str, Any]) -> None:
    assert item["itemType"] == "journalArticle"
    assert [person["lastName"] for person in item["creators"]] == AUTHORS
    assert item["title"].startswith("Patient and Therapist Perceptions of a Publicly Funded")
    assert item["publicationTitle"] in {"JMIR Form Res", "JMIR Formative Research"}
    assert (item["volume"], item["pages"], item["date"]) == ("8", "e50113", "2024-02-19")
    assert (item["DOI"], item["PMID"], item["ISSN"]) == ("10.2196/50113", "38373027", "2561-326X")
    assert len(item["tags"]) == 12
    assert item["abstractNote"].startswith("Background: During")
    assert item["abstractNote"].endswith("would make them better.")


@pytest.mark.parametrize("library", ["embedded", "user", "group"])
def test_the_sample_whose_line_breaks_were_lost_becomes_one_whole_article(stage: Scene, library: str) -> None:
    stage.write_config(library)
    report = stage.sync(str(SAMPLE))
    assert outcomes(report) == {"created": 1}
    (item,) = stage.items()
    is_the_sample(item)
    assert item["key"] == report["drops"][0]["records"][0]["key"]
    assert [p["code"] for p in report["drops"][0]["records"][0]["problems"]] == ["line-breaks-lost"]


@pytest.mark.parametrize("library", ["embedded", "user"])
def test_a_second_drop_of_the_same_file_changes_nothing_and_says_so(stage: Scene, library: str) -> None:
    stage.write_config(library)
    stage.sync(str(SAMPLE))
    before = stage.items()
    asked = len(stage.crossref.log) + len(stage.ncbi.log)
    again = stage.sync(str(SAMPLE))
    assert outcomes(again) == {"left": 1}
    assert again["changed"] is False
    assert again["drops"][0]["records"][0]["reasons"] == ["same-drop"]
    assert stage.items() == before
    assert len(stage.crossref.log) + len(stage.ncbi.log) == asked
    assert b"nothing was changed" in stage.run("sync", str(SAMPLE)).stdout


@pytest.mark.parametrize("library", ["embedded", "group"])
def test_records_are_filled_from_both_services_and_nothing_given_is_overwritten(stage: Scene, library: str) -> None:
    stage.write_config(library)
    path = stage.drop("search.ris", to_ris(WORKS, without={"AB", "VL", "J2", "KW"}))
    report = stage.sync(str(path))
    assert outcomes(report) == {"created": len(WORKS)}
    by_doi = {item["DOI"].lower(): item for item in stage.items()}
    for work in WORKS:
        item = by_doi[work.doi.lower()]
        assert item["title"] == work.plain_title
        assert item.get("volume", "") == work.volume
        assert item.get("PMID", "") == work.pmid
        if work.abstract and work.abstract_in:
            assert item["abstractNote"]
    assert report["requests"]["crossref"] == 1
    assert report["requests"]["pubmed"] <= 3


def test_every_filled_value_has_its_provenance_in_the_ledger(stage: Scene) -> None:
    stage.sync(str(stage.drop("search.ris", to_ris(WORKS[:3], without={"VL", "AB"}))))
    with sqlite3.connect(stage.folder / "state" / "zotdrop.sqlite") as ledger:
        rows = ledger.execute("SELECT field, old, new, source, how, at FROM changes WHERE field = 'volume'").fetchall()
    ledger.close()
    assert len(rows) == 3
    for _, old, new, source, how, at in rows:
        assert old == ""
        assert new
        assert source in {"pubmed", "crossref"}
        assert how in {"doi", "pmid"}
        assert at.endswith("Z")


@pytest.mark.parametrize("library", ["embedded", "user"])
def test_services_that_cannot_be_reached_delay_values_and_lose_no_record(stage: Scene, library: str) -> None:
    stage.write_config(library, crossref_url=NOWHERE, pubmed_url=NOWHERE)
    path = stage.drop("search.ris", to_ris(WORKS, without={"VL"}))
    done = stage.run("sync", str(path))
    assert b"could not be reached" in done.stdout
    assert b"To be asked again" in done.stdout
    assert len(stage.items()) == len(WORKS)
    assert not any(item.get("volume") for item in stage.items())
    stage.write_config(library)
    report = stage.sync()
    assert report["filled"] == len([work for work in WORKS if work.volume])
    assert {item["DOI"].lower(): item.get("volume", "") for item in stage.items()} == {
        w.doi.lower(): w.volume for w in WORKS
    }
    assert stage.sync()["filled"] == 0


def test_an_inbox_lets_records_wait_for_a_service_and_goes_on_later(stage: Scene) -> None:
    stage.write_config(crossref_url=NOWHERE, pubmed_url=NOWHERE)
    (stage.inbox / "search.ris").write_text(to_ris(WORKS[:3]))
    stage.run("run", "--once", code=4)
    assert stage.items() == []
    assert (stage.inbox / "search.ris").exists()
    stage.write_config()
    stage.run("run", "--once")
    assert len(stage.items()) == 3
    assert (stage.inbox / "done" / "search.ris").exists()


def test_a_library_that_is_away_keeps_every_record_waiting(stage: Scene) -> None:
    stage.write_config("user", zotero_url=NOWHERE)
    path = stage.drop("search.ris", to_ris(WORKS[:4]))
    report = stage.sync(str(path), code=4)
    assert outcomes(report) == {"waiting": 4}
    stage.write_config("user")
    assert len(stage.sync(str(path))["drops"][0]["records"]) == 4


@pytest.mark.parametrize("library", ["embedded", "user"])
def test_the_same_work_twice_in_a_file_becomes_one_item(stage: Scene, library: str) -> None:
    stage.write_config(library)
    path = stage.drop("twice.ris", to_ris([*WORKS[:3], *WORKS[:3]]))
    report = stage.sync(str(path))
    assert outcomes(report) == {"created": 3, "merged": 3}
    keys = [record["key"] for record in report["drops"][0]["records"]]
    assert keys[:3] == keys[3:]
    assert len(stage.items()) == 3


def test_a_shared_doi_with_another_title_is_another_work(stage: Scene) -> None:
    one = "TY  - JOUR\nTI  - Kelp forests of the northern coast\nDO  - 10.5555/supplement\nER  - \n"
    other = "TY  - JOUR\nTI  - Sleep in shift workers: a cohort\nDO  - 10.5555/supplement\nER  - \n"
    report = stage.sync(str(stage.drop("supplement.ris", one + other)))
    assert outcomes(report) == {"created": 2}


@pytest.mark.parametrize("library", ["embedded", "user"])
def test_a_work_that_the_library_holds_gains_only_what_it_lacks(stage: Scene, library: str) -> None:
    stage.write_config(library, use=[])
    stage.sync(str(stage.drop("one.ris", to_ris(WORKS[:2], without={"VL"}))))
    report = stage.sync(str(stage.drop("two.ris", to_ris(WORKS[:3]))))
    assert outcomes(report) == {"updated": 2, "created": 1}
    items = {item["DOI"]: item for item in stage.items()}
    assert len(items) == 3
    assert all(len(items[work.doi]["collections"]) == 2 for work in WORKS[:2])
    assert items[WORKS[0].doi]["volume"] == WORKS[0].volume


def test_what_a_person_emptied_or_deleted_stays_so(stage: Scene) -> None:
    stage.write_config("user")
    stage.sync(str(stage.drop("one.ris", to_ris(WORKS[:3]))))
    library = stage.zotero.library()
    items = {item["DOI"]: item for item in library.items()}
    library.edit(items[WORKS[0].doi]["key"], volume="", title="My own title")
    library.trash(items[WORKS[1].doi]["key"])
    library.delete(items[WORKS[2].doi]["key"])
    report = stage.sync("--collection", "", str(stage.drop("two.ris", to_ris(WORKS[:3]) + "\n")))
    assert outcomes(report) == {"left": 3}
    reasons = [record["reasons"][-1] for record in report["drops"][0]["records"]]
    assert reasons == ["in-library", "in-trash", "deleted-by-person"]
    (item,) = [item for item in library.items() if item["itemType"] == "journalArticle"]
    assert (item["title"], item.get("volume", "")) == ("My own title", "")


def test_a_dry_run_decides_everything_and_writes_nothing(stage: Scene) -> None:
    stage.write_config("user")
    path = stage.drop("search.ris", to_ris(WORKS))
    report = stage.sync("--dry-run", str(path))
    assert outcomes(report) == {"created": len(WORKS)}
    assert report["dry"] is True
    assert stage.zotero.library().items() == []
    assert stage.zotero.library().collections() == []
    assert [request for request in stage.zotero.log if request.method != "GET"] == []
    assert outcomes(stage.sync(str(path))) == {"created": len(WORKS)}


def test_a_file_without_a_record_is_held_byte_for_byte(stage: Scene) -> None:
    junk = b"\x00\x01Dear colleague,\r\nplease find attached \xff\xfe nothing.\r\n"
    (stage.inbox / "letter.ris").write_bytes(junk)
    done = stage.run("sync", code=5)
    assert b"no record found" in done.stdout
    assert (stage.inbox / "held" / "letter.ris").read_bytes() == junk
    told = json.loads((stage.inbox / "held" / "letter.ris.report.json").read_text())
    assert "no record found" in told["message"]


def test_an_inbox_is_worked_off_and_its_files_move_to_done(stage: Scene) -> None:
    (stage.inbox / "sub").mkdir()
    (stage.inbox / "sub" / "a.ris").write_text(to_ris(WORKS[:2]))
    (stage.inbox / "b.ris").write_text(to_ris(WORKS[2:4]))
    (stage.inbox / "c.ris.part").write_text("half a fi")
    report = stage.sync()
    assert outcomes(report) == {"created": 4}
    assert (stage.inbox / "done" / "sub" / "a.ris").exists()
    assert (stage.inbox / "done" / "b.ris").exists()
    assert (stage.inbox / "done" / "b.ris.report.json").exists()
    assert (stage.inbox / "c.ris.part").exists()


def test_a_named_file_is_never_moved(stage: Scene) -> None:
    path = stage.inbox / "mine.ris"
    path.write_text(to_ris(WORKS[:1]))
    stage.sync(str(path))
    assert path.exists()


def test_standard_input_is_read(stage: Scene) -> None:
    report = stage.sync("-", data=to_ris(WORKS[:2]).encode("utf-16"))
    assert outcomes(report) == {"created": 2}
    assert report["drops"][0]["path"] == "standard input"


def test_more_new_items_than_allowed_stop_before_the_first_write(stage: Scene) -> None:
    stage.write_config("user", limits_max_new_per_run=5)
    report = stage.sync(str(stage.drop("search.ris", to_ris(WORKS))), code=8)
    assert outcomes(report) == {"waiting": len(WORKS)}
    assert "max_new_per_run" in report["failure"]
    assert json.loads(stage.run("--json", "status").stdout)["waits"]["records for the next run"] == len(WORKS)
    assert stage.zotero.library().items() == []


def test_notes_become_child_notes_that_hold_no_script(stage: Scene) -> None:
    stage.write_config("user")
    text = "TY  - JOUR\nTI  - Notes on notes\nN1  - <script>alert(1)</script>\nKW  - one\nER  - \n"
    stage.sync(str(stage.drop("note.ris", text)))
    item, note = sorted(stage.zotero.library().items(), key=lambda one: one["itemType"])
    assert note["itemType"] == "note"
    assert note["parentItem"] == item["key"]
    assert "<script>" not in note["note"]


def test_a_wrong_doi_is_said_and_not_used(stage: Scene) -> None:
    text = f"TY  - JOUR\nTI  - Something else altogether\nDO  - {WORKS[0].doi}\nER  - \n"
    report = stage.sync(str(stage.drop("wrong.ris", text)))
    (record,) = report["drops"][0]["records"]
    assert record["outcome"] == "created"
    assert "source-contradicts" in {problem["code"] for problem in record["problems"]}
    (item,) = stage.items()
    assert "volume" not in item


def test_a_wrong_key_ends_with_3_and_is_shown_nowhere(stage: Scene) -> None:
    stage.write_config("user")
    marker = "MarkerKeyThatMustNotShow"
    done = stage.run("-v", "sync", str(SAMPLE), code=3, ZOTERO_API_KEY=marker)
    assert b"zotero.org/settings/keys" in done.stdout + done.stderr
    kept = b"".join(path.read_bytes() for path in stage.folder.rglob("*") if path.is_file())
    assert marker.encode() not in done.stdout + done.stderr + kept


def test_no_key_shows_in_anything_that_is_written(stage: Scene) -> None:
    stage.write_config("user")
    shown = b""
    for words in (["-v", "sync", str(SAMPLE)], ["config", "show"], ["status"], ["check"]):
        done = stage.run(*words)
        shown += done.stdout + done.stderr
    kept = b"".join(path.read_bytes() for path in stage.folder.rglob("*") if path.is_file())
    assert API_KEY.encode() not in shown + kept


@pytest.mark.parametrize("library", ["embedded", "user"])
def test_a_ledger_that_was_lost_makes_nothing_twice(stage: Scene, library: str) -> None:
    stage.write_config(library, use=[])
    path = stage.drop("search.ris", to_ris(WORKS, without={"DO", "UR"}))
    first = stage.sync(str(path))
    keys = sorted(record["key"] for record in first["drops"][0]["records"])
    shutil.rmtree(stage.folder / "state")
    again = stage.sync(str(path))
    assert outcomes(again) == {"left": len(WORKS)}
    assert sorted(record["key"] for record in again["drops"][0]["records"]) == keys
    assert len(stage.items()) == len(WORKS)


def test_a_second_run_on_the_same_state_is_refused_with_7(stage: Scene) -> None:
    path = stage.drop("search.ris", to_ris(WORKS[:2]))
    with FileLock(f"{stage.folder / 'state' / 'zotdrop.sqlite'}.run.lock"):
        done = stage.run("sync", str(path), code=7)
    assert b"at work on this state" in done.stderr
    assert outcomes(stage.sync(str(path))) == {"created": 2}


@pytest.mark.parametrize("words", [["-q", "sync"], ["sync", "-q"]])
def test_the_common_switches_go_before_and_after_the_command(stage: Scene, words: list[str]) -> None:
    done = stage.run(*words, str(SAMPLE))
    assert (done.stdout, done.stderr) == (b"", b"")
    assert json.loads(stage.run("--json", "sync", str(SAMPLE)).stdout)["schema"] == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["sync", "missing.ris"], 2),
        (["nonsense"], 2),
        (["sync", "--inbox", "none"], 2),
        (["export", "--library", "none"], 2),
    ],
)
def test_what_cannot_be_is_a_usage_fault(stage: Scene, words: list[str], code: int) -> None:
    done = stage.run(*words, code=code)
    assert done.stderr
    assert b"Traceback" not in done.stderr


def test_a_faulty_config_ends_with_3_and_names_every_fault(stage: Scene) -> None:
    stage.config.write_text("contakt = 1\n[limits]\nmax_new_per_run = 'many'\n")
    done = stage.run("sync", code=3)
    assert b"contakt" in done.stderr
    assert b"max_new_per_run" in done.stderr


def test_a_guessed_encoding_is_said_at_each_record_that_depends_on_it(stage: Scene) -> None:
    text = "TY  - JOUR\nTI  - Größe und Maß\nER  - \nTY  - JOUR\nTI  - Plain\nER  - \n"
    report = stage.sync(str(stage.drop("west.ris", text.encode("cp1252"))))
    codes = [[problem["code"] for problem in record["problems"]] for record in report["drops"][0]["records"]]
    assert codes == [["encoding-guessed"], []]
    assert {item["title"] for item in stage.items()} == {"Größe und Maß", "Plain"}


def test_a_reference_that_says_nothing_makes_no_blank_item_and_is_accounted_for(stage: Scene) -> None:
    text = "TY  - JOUR\nER  - \nTY  - JOUR\nTI  - Said\nER  - \n"
    report = stage.sync(str(stage.drop("blank.ris", text)), code=5)
    assert outcomes(report) == {"created": 1, "unreadable": 1}
    assert [item["title"] for item in stage.items()] == ["Said"]


def test_no_enrich_asks_no_source_even_for_what_earlier_runs_are_owed(stage: Scene) -> None:
    stage.write_config(crossref_url=NOWHERE, pubmed_url=NOWHERE)
    stage.sync(str(stage.drop("a.ris", to_ris(WORKS[:2]))))
    stage.write_config()
    assert stage.sync("--no-enrich")["filled"] == 0
    stage.sync("--no-enrich", str(stage.drop("b.ris", to_ris(WORKS[2:4]))))
    assert (stage.crossref.log, stage.ncbi.log) == ([], [])
    assert stage.sync()["filled"] == 2


def test_quiet_says_nothing_but_errors(stage: Scene) -> None:
    done = stage.run("-q", "sync", str(stage.drop("letter.ris", "Dear colleague, nothing here.")), code=5)
    assert done.stdout == b""
    assert b"no record found" in done.stderr


def test_output_that_cannot_be_written_is_an_error_and_no_traceback(stage: Scene) -> None:
    stage.sync(str(SAMPLE))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            stage.command("export"),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
            cwd=ROOT,
            env=stage.env(),
        )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"No space left" in done.stderr


def test_too_little_space_takes_nothing_in_and_says_so(stage: Scene) -> None:
    (stage.inbox / "a.ris").write_text(to_ris(WORKS[:1]))
    little: dict[str, Any] = {"ZOTDROP__STATE__MIN_FREE_MB": "999999999"}
    assert stage.sync(**little)["drops"] == []
    assert b"min_free_mb" in stage.run("sync", str(SAMPLE), code=1, **little).stderr
    assert json.loads(stage.run("--json", "status", **little).stdout)["degraded"]
    assert outcomes(stage.sync()) == {"created": 1}


def test_a_rule_for_a_field_that_zotero_does_not_have_is_a_fault(stage: Scene) -> None:
    done = stage.run("status", code=3, ZOTDROP__MERGE__FIELDS__ABSTRACT="keep")
    assert b"[merge.fields] abstract: Zotero has no such field; did you mean 'abstractNote'?" in done.stderr


def test_status_counts_what_there_is(stage: Scene) -> None:
    stage.sync(str(stage.drop("search.ris", to_ris(WORKS[:2]))))
    facts = json.loads(stage.run("--json", "status").stdout)
    assert facts["drops"] == {"total": 1, "done": 1, "undone": 0}
    assert facts["outcomes"] == {"created": 2}
    assert facts["daemon"] is False


def test_a_reference_that_was_cut_is_a_question_and_no_item(tmp_path: Path) -> None:
    with scene(tmp_path) as one:
        one.write_config(sources=[])
        drop = one.drop("cut.ris", "TY  - JOUR\nTI  - Walls\nER  - \n\nTY  - JOUR\nTI  - Lichens\nDO  - 10.5555/li")
        report = one.sync(str(drop))
        assert outcomes(report) == {"created": 1, "asked": 1}
        (asked,) = (line for line in report["drops"][0]["records"] if line["outcome"] == "asked")
        assert asked["reasons"] == ["repair-doubtful"]
        assert asked["title"] == "Lichens"
        assert [item["title"] for item in one.items()] == ["Walls"]


@pytest.mark.parametrize("name", ["walls.nbib", "walls.enw", "walls.ciw"])
def test_other_tagged_formats_reach_the_library(tmp_path: Path, name: str) -> None:
    with scene(tmp_path) as one:
        one.write_config(sources=[])
        drop = one.drop("export.txt", (CORPUS / name).read_bytes())
        report = one.sync(str(drop))
        assert outcomes(report)["created"] == report["drops"][0]["entries"] > 1
        assert "10.5555/walls.1" in {item.get("DOI") for item in one.items()}


def test_parse_reads_standard_input_and_says_what_is_missing(tmp_path: Path) -> None:
    with scene(tmp_path) as one:
        text = "TY  - JOUR\nAU  - Moss, Ada\nER  - \n"
        done = subprocess.run(
            one.command("parse", "--json", "-"), input=text, capture_output=True, text=True, check=True
        )
        (line,) = done.stdout.splitlines()
        assert [problem["code"] for problem in json.loads(line)["problems"]] == ["title-missing"]


def test_parse_shows_the_drop_as_it_is_and_with_tidy_as_the_library_gets_it(tmp_path: Path) -> None:
    with scene(tmp_path) as one:
        drop = one.drop("odd.ris", "TY  - JOUR\nTI  - Walls\nAB  - NA\nAU  - Moss, A; Fern, B\nER  - \n")
        shown = [
            json.loads(
                subprocess.run(
                    one.command("parse", "--json", *words, str(drop)), capture_output=True, check=True
                ).stdout
            )
            for words in ([], ["--tidy"])
        ]
        assert [record["item"].get("abstractNote") for record in shown] == ["NA", None]
        assert [len(record["item"]["creators"]) for record in shown] == [1, 2]
        one.write_config(sources=[])
        one.sync(str(drop))
        (item,) = one.items()
        assert "abstractNote" not in item
        assert len(item["creators"]) == 2
