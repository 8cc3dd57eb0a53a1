"""What texts may hold that somebody else wrote: scripts, escape sequences, entities. They are shown and kept, and never take effect."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import drops, service
from sync.cli.switches import dump, harmless
from sync.config import load
from sync.core import crossref_json, pubmed_xml
from sync.core.record import Gap, Reading
from sync.logs import Text
from sync.progress import bar
from sync.report.records import reading_json, reading_text
from sync.service import daemon as daemon_room
from sync.steps.intake import for_library, readings
from tests.scene import Scene, scene
from tests.security.spy import Spy
from tests.servers.works import make_works

BAD = '<script>alert(1)</script><img src=x onerror="alert(2)"><a href="javascript:alert(3)" onclick="x()">go</a>'
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\u202e"
RULES_A_TERMINAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
TAGS = (
    "TI",
    "AU",
    "T2",
    "J2",
    "AB",
    "KW",
    "SP",
    "VL",
    "IS",
    "PB",
    "CY",
    "UR",
    "L1",
    "L2",
    "L4",
    "M1",
    "C1",
    "ID",
    "DB",
    "DO",
    "SN",
)


def ris(value: str, tags: tuple[str, ...] = TAGS) -> str:
    lines = [f"{tag}  - {value}" for tag in tags]
    return "\n".join(["TY  - JOUR", "TI  - On walls", "PY  - 2020", *lines, f"N1  - {value}", "ER  - ", ""])


def only(text: str | bytes) -> Reading:
    data = text.encode() if isinstance(text, str) else text
    (one,) = [for_library(part) for part in readings(drops.lines_of(data)) if not isinstance(part, Gap)]
    assert isinstance(one, Reading)
    return one


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, make_works(1, seed=46)) as made:
        yield made


def test_scripts_in_every_field_take_no_effect_in_notes_links_and_addresses(stage: Scene) -> None:
    stage.write_config(use=[], inbox_attachments="links", inbox_unmapped="note")
    stage.run("sync", str(stage.drop("a.ris", ris(BAD) + ris("javascript:alert(1)"))))
    items = [json.loads(line) for line in stage.run("export").stdout.splitlines()]
    notes = [item["note"] for item in items if item["itemType"] == "note"]
    assert notes
    for note in notes:
        assert not re.search(r"<(?!/?(?:p|br|a|b|i|em|strong|ul|ol|li)\b)", note), note
        assert not re.search(r"<[^>]*(?:\bon\w+\s*=|javascript:)", note), note
    addresses = [item.get("url", "") for item in items]
    assert not any(re.match(r"\s*(?!https?:|ftp:|$|<)\w+:", address) for address in addresses), addresses


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", " JavaScript:alert(1)", "vbscript:x", "data:text/html,<script>", "file:///etc/passwd"],
)
def test_an_address_that_runs_or_opens_what_somebody_wrote_is_kept_and_not_offered(address: str) -> None:
    reading = only(f"TY  - JOUR\nTI  - On walls\nUR  - {address}\nER  - \n")
    assert reading.record is not None
    assert "url" not in reading.record.fields
    assert ("UR", address.strip()) in [(tag, value.strip()) for tag, value in reading.record.unmapped]
    assert "address-runs" in [problem.code for problem in reading.problems]


def test_an_address_of_the_web_stays() -> None:
    reading = only("TY  - JOUR\nTI  - On walls\nUR  - https://a.example/?u=javascript:alert(1)\nER  - \n")
    assert reading.record is not None
    assert reading.record.fields["url"] == "https://a.example/?u=javascript:alert(1)"


def test_a_service_cannot_put_a_script_into_an_address_either() -> None:
    assert [crossref_json._web(url) for url in ("javascript:alert(1)", "https://a.example/")] == [
        "",
        "https://a.example/",
    ]


# ---- terminals ----------------------------------------------------------------------------------------------------


def test_no_escape_sequence_reaches_a_terminal_a_log_or_a_report(stage: Scene) -> None:
    """In names of files, in titles, and in what services say."""
    stage.write_config("user", use=[], inbox_settle_seconds=0.0)
    stage.zotero.fail(
        None, status=403, body=f"Write access {ESCAPES} denied", when=lambda request: request.method == "POST"
    )
    name = f"a{ESCAPES}[b]\nSTOPPING=1.ris"
    (stage.inbox / name).write_text(ris(ESCAPES))
    told = [stage.run("run", "--once", code=None), stage.run("sync", "-v", "-v", str(stage.inbox / name), code=None)]
    told += [stage.run("status"), stage.run("--json", "status"), stage.run("parse", str(stage.inbox / name))]
    told += [
        stage.run("parse", "--json", str(stage.inbox / name)),
        stage.run("sync", str(stage.inbox / f"{name}x"), code=2),
    ]
    for done in told:
        for text in (done.stdout.decode(), done.stderr.decode()):
            assert not RULES_A_TERMINAL.search(text), repr(text)
    assert any(b"a ]0;owned" in done.stderr for done in told)
    assert any(b"Write access" in done.stdout + done.stderr for done in told)


def test_a_parsed_record_rules_no_terminal() -> None:
    reading = only(ris(ESCAPES))
    for text in (reading_text(reading), dump(reading_json(reading))):
        assert not RULES_A_TERMINAL.search(text.replace("\n", "")), repr(text)
    assert json.loads(dump({"a": "\x9b\u202eé"})) == {"a": "\x9b\u202eé"}


def test_a_line_of_the_log_begins_no_other() -> None:
    record = logging.makeLogRecord(
        {"name": "zotdrop", "msg": "%s: cannot be read", "args": (f"a\n2026-11-27 INFO all is well{ESCAPES}",)}
    )
    fault = ValueError(ESCAPES)
    record.exc_info = (type(fault), fault, None)
    shown = Text().format(record)
    assert r"a\n2026-11-27 INFO all is well" in shown
    assert not RULES_A_TERMINAL.search(shown.replace("\n", "")), repr(shown)


def test_a_files_name_is_no_markup_and_no_word_to_the_service_manager(
    monkeypatch: pytest.MonkeyPatch, stage: Scene
) -> None:
    with bar() as tell:
        tell("reading a[/b].ris [bold", 1, 2)
    said: list[str] = []
    monkeypatch.setattr(daemon_room, "notify", said.append)
    stage.write_config(use=[], inbox_settle_seconds=0.0)
    (stage.inbox / "a\nSTOPPING=1\nMAINPID=1.ris").write_text(ris("x"))
    service.Daemon(load(stage.config, stage.env())).once()
    assert any("STOPPING" in one for one in said)
    assert not any("\n" in one for one in said), said


def test_line_ends_of_a_message_stay() -> None:
    assert harmless("a\nb\tc\x1b[0m") == "a\nb\tc [0m"


# ---- XML ----------------------------------------------------------------------------------------------------------

ARTICLE = "<PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>On walls &x; end</ArticleTitle></Article></MedlineCitation></PubmedArticle>"


def xml(doctype: str) -> bytes:
    head = f'<?xml version="1.0"?>\n<!DOCTYPE PubmedArticleSet [{doctype}]>\n'
    return f"{head}<PubmedArticleSet>\n{ARTICLE}\n</PubmedArticleSet>\n".encode()


def told_of(data: bytes) -> list[str]:
    """All that comes of a document, as a drop and as a service's answer."""
    tidy = [for_library(part) for part in readings(drops.lines_of(data))]
    told = [dump(reading_json(part)) for part in tidy if not isinstance(part, Gap)]
    try:
        told += [str(pubmed_xml.article_to_record(article)) for article in pubmed_xml.parse(data)]
    except ValueError as fault:
        told.append(str(fault))
    return told


def test_no_entity_of_a_document_is_read_from_a_file_or_asked_for(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    forms = ('<!ENTITY x SYSTEM "{}">', '<!ENTITY % y SYSTEM "{}"> %y;', '<!ENTITY x PUBLIC "-" "{}">')
    with Spy() as spy:
        for place in (secret.as_uri(), str(secret), f"{spy.url}/dtd"):
            for form in forms:
                told = told_of(xml(form.format(place)))
                assert told
                assert not any("s3cret" in one for one in told), told
        assert spy.log == []


def test_a_bomb_of_entities_does_not_go_off() -> None:
    """A billion laughs: ten entities, each ten times the one before."""
    layers = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    began = time.process_time()
    told = told_of(xml(f'<!ENTITY l0 "ha">{layers}<!ENTITY x "&l9;">'))
    assert told
    assert all(len(one) < 20_000 for one in told)
    assert time.process_time() - began < 5


def test_elements_a_hundred_thousand_deep_are_refused() -> None:
    deep = b"<PubmedArticleSet>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</PubmedArticleSet>"
    with pytest.raises(ValueError, match="no XML"):
        pubmed_xml.parse(deep)
