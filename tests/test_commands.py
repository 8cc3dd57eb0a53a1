"""What commands say to somebody who uses them for the first time, and to a program."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sync.libraries.base import Write
from sync.libraries.embedded import Embedded
from tests.desk import Desk
from tests.scene import CORPUS
from tests.test_review import ONE, OTHER

RIS = "TY  - JOUR\nTI  - Kelp forests of the northern coast and their urchins\nAU  - Berg, Ada\nPY  - 2020\nER  - \n"


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys)
    made.configure()
    return made


def edit(desk: Desk, key: str, **changed: str) -> None:
    held = Embedded(desk.folder / "library.sqlite", now=lambda: "2027-01-01T08:00:00Z")
    version = next(item.version for item in held.items() if item.key == key)
    held.write([Write(key, version, changed)])
    held.close()


# ---- faults as data ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (("sync", "--json", "missing.ris"), 2, "missing.ris: there is no such file"),
        (("--json", "report", "r0"), 2, "r0: there is no such run"),
        (("explain", "kelpp", "--json"), 2, "kelpp: no problem"),
        (("sync", "--json", "--nope"), 2, "No such option"),
        (("sync", "--json", "--library", "x"), 2, "there is no [library.x]"),
    ],
)
def test_a_fault_is_an_object_on_stdout_and_a_message_on_stderr(
    desk: Desk, words: tuple[str, ...], code: int, part: str
) -> None:
    said = desk.run(*words, code=code)
    fault = said.json()["error"]
    assert fault["code"] == code
    assert part in fault["message"]
    assert part in said.err


def test_a_fault_of_the_config_is_an_object_too(desk: Desk) -> None:
    desk.config.write_text("[inbox.default]\nkeywords = 'loud'\n")
    said = desk.run("status", "--json", code=3)
    assert "keywords: one of" in said.json()["error"]["message"]


def test_what_nobody_expected_is_an_object_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("kelp")

    monkeypatch.setattr("sync.orders.check_names", broken)
    with pytest.raises(ValueError, match="kelp"):
        desk.run("retry", "--json")
    assert json.loads(desk.capsys.readouterr().out)["error"] == {"code": 1, "message": "unexpected: ValueError('kelp')"}


def test_without_json_a_fault_says_nothing_on_stdout(desk: Desk) -> None:
    assert desk.run("sync", "missing.ris", code=2).out == ""


# ---- commands that can be copied -----------------------------------------------------------------------------------


def test_commands_in_messages_name_the_config_that_was_given(desk: Desk) -> None:
    said = desk.run("sync", str(desk.drop("both.ris", ONE + "\n" + OTHER)))
    assert f"zotdrop -c {desk.config} review list says what is asked" in said.out
    listed = desk.run("review", "list").out
    assert f"zotdrop -c {desk.config} review accept" in listed
    assert f"zotdrop -c {desk.config} review reject" in listed
    assert f"zotdrop -c {desk.config} history" in desk.run("undo", "r0", "--yes", code=2).err


def test_a_name_with_blanks_can_be_copied_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my references"
    folder.mkdir()
    desk = Desk(folder, capsys)
    desk.configure()
    assert f"zotdrop -c '{desk.config}' history" in desk.run("undo", "r0", "--yes", code=2).err


def test_a_missing_contact_is_told_only_where_sources_are_asked(desk: Desk) -> None:
    desk.configure(use='["crossref"]')
    for words in (["status"], ["history"], ["review", "list"], ["config", "show"]):
        assert "contact is empty" not in desk.run(*words).err
    assert "contact is empty" in desk.run("check").err


# ---- folders -------------------------------------------------------------------------------------------------------


def test_of_a_folder_what_is_no_export_is_named_and_passed_over(desk: Desk) -> None:
    desk.drop("refs/a.ris", RIS)
    desk.drop("refs/deep/b.ris", RIS.replace("Kelp", "Moss"))
    desk.drop("refs/paper.pdf", b"%PDF-1.7")
    desk.drop("refs/all.zip", b"PK\x03\x04")
    desk.drop("refs/unnamed", b"SQLite format 3\x00 and more")
    desk.drop("refs/zotdrop.toml", "")
    said = desk.run("sync", "--json", str(desk.folder / "refs"))
    (report,) = (said.json(),)
    assert [Path(drop["path"]).name for drop in report["drops"]] == ["a.ris", "b.ris"]
    told = [line.split(":")[0].rpartition("/")[2] for line in said.err.splitlines() if "passed over" in line]
    assert told == ["all.zip", "paper.pdf", "unnamed", "zotdrop.toml"]


def test_a_folder_that_holds_the_inbox_is_not_read_for_what_was_put_away(desk: Desk) -> None:
    desk.drop("inbox/a.ris", RIS)
    desk.run("sync")
    assert (desk.inbox / "done" / "a.ris").is_file()
    said = desk.run("sync", str(desk.folder), code=2)
    assert "no export of references in there" in said.err


# ---- held ----------------------------------------------------------------------------------------------------------


def test_a_drop_of_which_something_is_asked_goes_to_done_and_the_question_waits(desk: Desk) -> None:
    desk.drop("inbox/both.ris", ONE + "\n" + OTHER)
    assert "1 record waits for you" in desk.run("sync").out
    assert (desk.inbox / "done" / "both.ris").is_file()
    assert not (desk.inbox / "held").exists()
    assert "record 2 of" in desk.run("review", "list").out


def test_a_drop_that_could_not_be_read_goes_to_held(desk: Desk) -> None:
    desk.drop("inbox/note.ris", "a letter, and no reference\n")
    desk.run("sync", code=5)
    assert (desk.inbox / "held" / "note.ris").is_file()


# ---- retry ---------------------------------------------------------------------------------------------------------

LONG = RIS.replace("ER  - ", f"AB  - {'wall ' * 20_000}\nER  - ")


def test_a_held_drop_that_was_mended_is_worked_off_and_leaves_held_with_its_report(desk: Desk) -> None:
    desk.drop("inbox/week-1/note.ris", "a letter, and no reference\n")
    desk.run("sync", code=5)
    desk.run("retry", code=5)
    held = desk.inbox / "held" / "week-1" / "note.ris"
    assert held.is_file(), "it stays under its name"
    assert [path.name for path in held.parent.iterdir()].count("note.ris.report.json") == 1
    held.write_text(RIS)
    said = desk.run("retry", "--json")
    assert said.json()["drops"][0]["outcomes"]["created"] == 1
    assert list(held.parent.iterdir()) == []
    assert (desk.inbox / "done" / "week-1" / "note.ris.report.json").is_file()


def test_a_held_drop_without_a_record_stays_one_drop_and_is_read_again_each_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.drop("inbox/kelp.ris", RIS)
    with monkeypatch.context() as patched:
        patched.setattr("sync.core.formats.sniff", lambda _head: None)  # as a reader that did not know it
        desk.run("sync", code=5)
        for _ in range(3):
            report = desk.run("retry", "--json", code=5).json()
            assert [drop["records"] for drop in report["drops"]] == [[]]
        assert desk.run("status", "--json").json()["drops"] == {"total": 1, "done": 1, "undone": 0}
    report = desk.run("retry", "--json").json()
    assert report["drops"][0]["outcomes"]["created"] == 1
    assert desk.run("status", "--json").json()["drops"] == {"total": 1, "done": 1, "undone": 0}
    assert (desk.inbox / "done" / "kelp.ris").is_file()
    desk.run("undo", report["run"], "--yes")
    assert desk.items() == []


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("lost.ris.gz", RIS.encode(), "named like an archive; unpack or rename it"),
        ("lost.ini", RIS.encode(), ".ini is the end of no export's name; rename it if it is one"),
        ("lost.ris", b"PK\x03\x04", "begins like a document, an archive or a database"),
    ],
)
def test_what_retry_passes_over_in_held_is_named_with_the_reason(desk: Desk, name: str, data: bytes, why: str) -> None:
    held = desk.drop(f"inbox/held/{name}", data)
    desk.drop("inbox/held/good.ris", RIS)
    said = desk.run("retry")
    (told,) = [line for line in said.err.splitlines() if "passed over" in line]
    assert told.startswith(f"{held}: passed over; {why}")
    assert len(desk.items()) == 1


def test_what_a_library_refused_is_tried_again_and_its_drop_leaves_held(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.steps.mending.mended", lambda *_args: None)  # as what no other form would help
    desk.drop("inbox/long.ris", LONG + RIS.replace("Kelp", "Moss"))
    said = desk.run("sync", "--json", code=5)
    assert said.json()["drops"][0]["outcomes"] | {"refused": 1, "created": 1} == said.json()["drops"][0]["outcomes"]
    assert (desk.inbox / "held" / "long.ris").is_file()
    desk.run("retry", code=5)
    assert (desk.inbox / "held" / "long.ris").is_file()
    monkeypatch.setattr("sync.libraries.rules.FIELD_BYTES", 1_000_000)
    report = desk.run("retry", "--json").json()
    assert [drop["outcomes"]["created"] for drop in report["drops"]] == [1]
    assert report["drops"][0]["records"][0]["problems"] == []
    assert len(desk.items()) == 2
    assert (desk.inbox / "done" / "long.ris").is_file()
    assert not (desk.inbox / "held" / "long.ris.report.json").exists()


def test_what_could_not_be_read_is_read_again(desk: Desk) -> None:
    desk.run("sync", str(desk.drop("a.ris", RIS + RIS.replace("Kelp", "Moss"))))
    ledger = sqlite3.connect(desk.folder / "state" / "zotdrop.sqlite")
    with ledger:  # as an older reader may have left it
        ledger.execute(
            "UPDATE records SET outcome = 'unreadable', record_json = NULL, merged_json = NULL WHERE ordinal = 2"
        )
    ledger.close()
    report = desk.run("retry", "--json").json()
    assert [(line["ordinal"], line["outcome"]) for drop in report["drops"] for line in drop["records"]] == [(2, "left")]
    assert len(desk.items()) == 2


def test_nothing_to_retry_is_said(desk: Desk) -> None:
    assert "Nothing to do" in desk.run("retry").out


# ---- show, and what was decided ------------------------------------------------------------------------------------


def test_show_tells_how_the_item_stands_now_and_what_a_person_changed(desk: Desk) -> None:
    desk.run("sync", str(desk.drop("a.ris", RIS)))
    (item,) = desk.items()
    edit(desk, item["key"], title="Kelp, as somebody calls it", date="")
    desk.run("sync")
    said = desk.run("show", item["key"]).out
    assert "title: Kelp forests of the northern coast" in said
    assert "    title: Kelp, as somebody calls it  [changed by a person]" in said
    assert "    date: (empty)  [changed by a person]" in said
    assert "    itemType: journalArticle\n" in said
    stands = desk.run("show", "--json", item["key"]).json()["stands"]
    assert (stands["place"], stands["edited"]) == ("alive", ["date", "title"])


def test_show_tells_of_an_item_that_no_drop_brought(desk: Desk) -> None:
    held = Embedded(desk.folder / "library.sqlite", now=lambda: "2027-01-01T08:00:00Z")
    held.write([Write("AAAA2222", 0, {"itemType": "book", "title": "Tides"})])
    held.close()
    desk.run("sync")
    said = desk.run("show", "AAAA2222").out
    assert "item AAAA2222: of no drop" in said
    assert "    title: Tides\n" in said
    assert "changed by a person" not in said


def test_why_a_person_was_asked_is_told_after_the_decision(desk: Desk) -> None:
    desk.run("sync", str(desk.drop("both.ris", ONE + "\n" + OTHER)))
    question = desk.run("review", "list", "--json").json()
    desk.run("review", "reject", str(question["number"]))
    said = desk.run("show", str(question["number"])).out
    assert f"another work ({question['other']['key']}); asked because the pages differ" in said
    (decided,) = desk.run("show", "--json", str(question["number"])).json()["decided"]
    assert decided["verdict"] == "different"
    assert "nothing waits" in desk.run("review", "list").err
    listed = desk.run("review", "list", "--decided").out
    assert f"{question['number']}: Kelp forests" in listed
    assert "asked because the pages differ" in listed
    assert desk.run("review", "list", "--decided", "--json").json()["decided"]["reasons"] == decided["reasons"]
    assert "page-differs" in decided["reasons"]


def test_a_doubtful_reading_that_was_taken_says_why_it_was_asked(desk: Desk) -> None:
    desk.run("sync", str(CORPUS / "cut-off.ris"))
    question = desk.run("review", "list", "--json").json()
    desk.run("review", "accept", str(question["number"]))
    assert (
        "read rightly; asked because its values had to be told apart" in desk.run("show", str(question["number"])).out
    )


def test_the_library_goes_out_as_ris_and_as_csl_json_too(desk: Desk) -> None:
    assert desk.run("export", "--format", "csl-json").json() == []
    desk.configure('original = "note"')
    desk.run("sync", str(desk.drop("a.ris", RIS + RIS.replace("Kelp", "Moss"))))
    assert [item["title"][:4] for item in desk.run("export", "--format", "csl-json").json()] == ["Kelp", "Moss"]
    text = desk.run("export", "--format", "ris").out
    assert text.count("TY  - JOUR\n") == 2
    assert text.count("N1  - Original record") == 2
    other = Desk(desk.folder / "other", desk.capsys)
    other.folder.mkdir()
    other.configure()
    other.run("sync", str(other.drop("b.ris", text)))
    titles = [[item["title"] for item in one.items() if item["itemType"] != "note"] for one in (desk, other)]
    assert titles[0] == titles[1]


# ---- report, explain, completion -----------------------------------------------------------------------------------


def test_the_report_of_a_run_is_told_again_in_each_form(desk: Desk) -> None:
    first = desk.run("sync", "--json", str(desk.drop("a.ris", RIS))).json()
    desk.run("sync", str(desk.drop("b.ris", RIS.replace("Kelp", "Moss"))))
    assert "b.ris: 1 record" in desk.run("report").out
    assert "a.ris: 1 record" in desk.run("report", first["run"]).out
    assert desk.run("report", first["run"], "--json").json() == json.loads(json.dumps(first))
    assert desk.run("report", first["run"], "--format", "csv").out.startswith("drop,record,outcome,key,title,")
    assert "| created |" in desk.run("report", "--format", "markdown").out
    assert "<td>created</td>" in desk.run("report", "--format", "html").out


def test_a_code_is_explained(desk: Desk) -> None:
    assert desk.run("explain", "doi-unknown").out.startswith("doi-unknown: No registration agency knows the DOI.")
    assert [line.split(":")[0] for line in desk.run("explain", "doi", "title").out.splitlines()] == ["doi", "title"]
    one_wrong = desk.run("explain", "doi", "titel", code=2)
    assert one_wrong.out.startswith("doi: ")
    assert "titel: no problem and no reason has this code; did you mean 'title'?" in one_wrong.err
    assert desk.run("explain", "item-refused-413", "--json").json()["code"] == "item-refused-413"
    assert "did you mean 'doi-unknown'?" in desk.run("explain", "doi-unknwn", code=2).err
    assert len(desk.run("explain").out.splitlines()) > 100
    assert f"zotdrop -c {desk.config} show" in desk.run("explain", "mojibake").out


@pytest.mark.parametrize(
    ("shell", "part"), [("bash", "complete -o nosort -F"), ("zsh", "#compdef zotdrop"), ("fish", "complete --no-files")]
)
def test_a_shell_gets_what_it_completes_by(desk: Desk, shell: str, part: str) -> None:
    assert part in desk.run("completion", shell).out


def test_completion_works() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from sync.cli import cli; cli.main(prog_name='zotdrop', complete_var='_ZOTDROP_COMPLETE')"],
        env={"_ZOTDROP_COMPLETE": "bash_complete", "COMP_WORDS": "zotdrop ret", "COMP_CWORD": "1", "PATH": "/usr/bin"},
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout.decode().split() == ["plain,retry"]


def test_a_folder_where_a_file_is_meant_and_a_file_where_a_folder_is_are_said(desk: Desk) -> None:
    folder = desk.run("-c", str(desk.folder), "status", code=3)
    assert f"{desk.folder}: a folder; name the config file, such as {desk.config}" in folder.err
    desk.inbox.rmdir()
    desk.inbox.write_text("no folder")
    for command in ("sync", "check"):
        assert "a file lies in its place, move it away" in desk.run(command, code=2).err


def test_init_beside_a_config_with_an_address_does_not_ask_for_one(desk: Desk) -> None:
    assert "put your e-mail address" in desk.run("init", str(desk.folder)).err
    desk.config.write_text('contact = "ada@example.org"')
    said = desk.run("init", str(desk.folder)).err
    assert f"next: zotdrop -c {desk.config} sync" in said
