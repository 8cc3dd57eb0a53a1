"""The config: every option has its default in the example, and every fault is named at once."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from pydantic import BaseModel

from sync.config import (
    Config,
    CrossrefSource,
    DesktopLibrary,
    EmbeddedLibrary,
    Inbox,
    PubMedSource,
    Review,
    Search,
    ZoteroLibrary,
    find_and_load,
    load,
    redacted,
)
from sync.errors import ConfigFault
from sync.secrets import Secret

EXAMPLE = Path(__file__).resolve().parents[1] / "config" / "zotdrop.example.toml"
KEY = "k3yThatNobodyMaySee"
LIKE_A_KEY = "aB3dE6gH9jK2mN5pQ8sT1vW4"


def written(folder: Path, text: str) -> Path:
    path = folder / "zotdrop.toml"
    path.write_text(text)
    return path


def faults(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigFault) as caught:
        load(written(folder, text), environment)
    return str(caught.value).splitlines()


def test_the_example_is_the_default_to_the_letter(tmp_path: Path) -> None:
    example = load(written(tmp_path, EXAMPLE.read_text()), {})
    empty = load(written(tmp_path, ""), {})
    assert redacted(example) == redacted(empty)


def uncommented(text: str) -> dict[str, Any]:
    """The example with every option switched on (the last of several tables of a name wins nothing: names differ)."""
    lines = [re.sub(r"^# (?=\[|[a-z_]+ = )", "", line) for line in text.splitlines()]
    return tomllib.loads("\n".join(lines))


def test_no_option_is_missing_from_the_example() -> None:
    shown = uncommented(EXAMPLE.read_text())

    def missing(model: type[BaseModel], table: dict[str, Any]) -> set[str]:
        return {name for name in model.model_fields if name != "warnings"} - set(table)

    assert missing(Config, shown) == set()
    assert missing(EmbeddedLibrary, shown["library"]["main"]) == set()
    assert missing(ZoteroLibrary, shown["library"]["shared"]) == set()
    assert missing(DesktopLibrary, shown["library"]["desk"]) == set()
    assert missing(Inbox, shown["inbox"]["default"]) == set()
    assert missing(Review, shown["review"]["example"]) == set()
    assert missing(Search, shown["review"]["example"]["search"]["embase-2026"]) == set()
    assert missing(CrossrefSource, shown["sources"]["crossref"]) == set()
    assert missing(PubMedSource, shown["sources"]["pubmed"]) == set()
    for name in ("state", "sources", "write", "merge", "limits", "retention"):
        model = Config.model_fields[name].annotation
        assert isinstance(model, type)
        assert missing(model, shown[name]) == set()


def test_every_option_of_the_example_has_a_comment() -> None:
    lines = EXAMPLE.read_text().splitlines()
    bare = [
        line
        for before, line in pairwise(lines)
        if re.match(r"(# )?[a-z_]+ = ", line) and "  # " not in line and not before.startswith(("#", "["))
    ]
    assert bare == []


def test_all_faults_are_named_at_once_with_section_key_and_what_is_expected(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        """
contakt = "x"
timezone = "Mars/Olympus"
[library.main]
kind = "zotero"
id = "abc"
api_key = 5
[inbox.default]
settle_secs = 3
keywords = "loud"
schedule = "0 0 31 2 *"
enrich_wait = "soon"
encoding = "klingon"
[limits]
max_new_per_run = -1
[sources]
use = ["scopus"]
""",
    )
    text = "\n".join(told)
    assert all(line.startswith("zotdrop.toml: ") for line in told)
    assert "contakt: there is no such option; did you mean 'contact'?" in text
    assert "timezone: an IANA time zone" in text
    assert (
        "[library.main] id: a whole number is needed, got 'abc'; yours stands at https://www.zotero.org/settings/keys"
        in text
    )
    assert "[library.main] api_key: one of" in text
    assert "[inbox.default] settle_secs: there is no such option; did you mean 'settle_seconds'?" in text
    assert "[inbox.default] keywords: one of 'automatic', 'manual', 'mapped' or 'off' is needed, got 'loud'" in text
    assert "never comes" in text
    assert "a duration such as" in text
    assert "[limits] max_new_per_run" in text
    assert "'pubmed' or 'crossref'" in text


ZOTERO = "[library.main]\nkind = 'zotero'\nid = 5\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("contact = 'librarian'", "contact: an e-mail address such as"),
        ("contact = 'The Library <a@example.org>'", "contact: an e-mail address"),
        ("contact = 'bücher@example.org'", "contact: an e-mail address"),
        ("contact = 'a@localhost'", "contact: an e-mail address"),
        ("contact = 5", "contact: a text in quotes is needed, got 5"),
        ("warnings = []", "warnings: there is no such option"),
        ("timezone = 'Europe/Berlinn'", "did you mean 'Europe/Berlin'?"),
        ("timezone = 'Local'", "did you mean 'local'?"),
        ("library = 3", "[library] options stand in a section with a name of its own, such as [library.main]"),
        ("library.path = 'x'", "[library.path] options stand in a section with a name of its own"),
        ("inbox.path = 'x'", "such as [inbox.default]"),
        ("library.main = 'x'", "[library.main] a section is needed"),
        ("sources = 3", "[sources] a section is needed"),
        ("[library]", "[library] at least one is needed"),
        ("[inbox]", "[inbox] at least one is needed"),
        ("[library.main]\nkind = 'zoterro'", "[library.main] kind: one of 'embedded', 'zotero', 'desktop' is needed, got 'zoterro'; did you mean 'zotero'?"),
        ("[library.main]\nkind = 'zotero'\ntype = 'groups'\nid = 5\napi_key.env = 'A'", "[library.main] type: one of 'user' or 'group' is needed, got 'groups'; did you mean 'group'?"),
        (ZOTERO, "[library.main] api_key: is needed; yours stands at https://www.zotero.org/settings/keys"),
        (f"{ZOTERO}api_key = ''", "[library.main] api_key: one of { env"),
        ("[library.main]\nkind = 'zotero'\nid = 0\napi_key.env = 'A'", "[library.main] id: a number above 0 is needed, got 0"),
        ("[library.main]\npth = 'x'", "[library.main] pth: there is no such option; did you mean 'path'?"),
        ("[library.main]\npath = ''", "[library.main] path: a path is needed"),
        ("[library.main]\npath = '~nobody-of-that-name/x'", "nobody's home folder"),
        ("[inbox.default]\nlibrary = 'other'", "[inbox.default] library: there is no [library.other]; there is main"),
        ("[library.shared]", "[inbox.default] library: there is no [library.main]; there is shared"),
        ("[inbox.'a b']", "[inbox.a b] a name of letters, digits, _ and - is needed, got 'a b'"),
        ("[inbox.'']", "a name of letters"),
        ("[inbox.default]\nsources = ['crosref']", "[inbox.default] sources: one of 'pubmed' or 'crossref' is needed, got 'crosref'; did you mean 'crossref'?"),
        ("[inbox.default]\nsources = 'crossref'", "[inbox.default] sources: a list is needed"),
        ("[sources]\nuse = ['pubmed', 'scopus']", "[sources] use: one of 'pubmed' or 'crossref' is needed, got 'scopus'"),
        ("[sources]\nuse = ['pubmed', 'pubmed']", "[sources] use: 'pubmed' stands there 2 times"),
        ("[sources]\ncache_days = -1", "[sources] cache_days: a number of at least 0 is needed, got -1"),
        ("[sources]\ncache_days = inf", "[sources] cache_days: a number is needed"),
        ("[inbox.default]\nsettle_seconds = nan", "settle_seconds: a number"),
        ("[inbox.default]\npoll_seconds = 0", "poll_seconds: a number of at least 0.05 is needed, got 0"),
        ("[inbox.default]\npoll_seconds = 1e12", "poll_seconds: a number of at most 86400 is needed"),
        ("[inbox.default]\nenrich_wait = '2 years'", "enrich_wait: a duration such as"),
        ("[inbox.default]\nschedule = '0 0 31 2 *'", "schedule: '0 0 31 2 *' names a day that never comes"),
        ("[schedule]\nsnapshot = '0 0 31 2 *'", "snapshot: '0 0 31 2 *' names a day that never comes"),
        ("[schedule]\nquiet_hours = 'at night'", 'quiet_hours: hours such as "08:00-18:00" are needed'),
        ("[schedule]\nquiet_hours = '08:00-25:00'", "quiet_hours: '08:00-25:00' names a time that no clock shows"),
        ("[schedule]\nquiet_hours = '08:61-09:00'", "quiet_hours: '08:61-09:00' names a time that no clock shows"),
        ("[schedule]\nquiet_hours = '08:00-08:00'", "quiet_hours: '08:00-08:00' leaves no time"),
        ("[schedule]\nquiet_hours = '00:00-24:00'", "quiet_hours: '00:00-24:00' leaves no time"),
        ("[inbox.default]\ntags = ['a', '']", "tags: a text that is not empty is needed"),
        ("[inbox.default]\ncollection = '{dorp}/x'", "collection: {dorp} stands for nothing; there is {subfolder} {database} {date} {drop} {review}; did you mean 'drop'?"),
        ("[inbox.default]\nreview = 'x'\n[review.y]\ntitle = 'Y'", "[inbox.default] review: there is no [review.x]; there is y"),
        ("[inbox.default]\nreview = 'y/z'\n[review.y]\ntitle = 'Y'", "[inbox.default] review: there is no [review.y.search.z]; there is none"),
        ("[inbox.default.keyword_map]\na = 5", "[inbox.default.keyword_map] a: a text in quotes is needed"),
        ("[inbox.default]\noriginal = 'ris'", "[inbox.default] original: one of 'off', 'note' or 'attachment' is needed"),
        ("[inbox.default]\ntitle_search = 'no'", "title_search: true or false is needed, got 'no'"),
        ("[inbox.default]\nencoding = 'klingon'", '[inbox.default] encoding: "auto" or a name such as'),
        ("[inbox.default]\nencoding = 'cp037'", 'encoding: "auto" or'),
        ("[inbox.default]\nencoding = 'utf-32'", 'encoding: "auto" or'),
        ("[inbox.default]\nencoding = 'idna'", 'encoding: "auto" or'),
        ("[merge]\ndefault = 'prefer scopus'", "[merge] default: fill, keep, fill SOURCE or prefer SOURCE is needed, SOURCE being pubmed or crossref, got 'prefer scopus'"),
        ("[merge.fields]\ntitle = 'maybe'", "[merge.fields] title: fill, keep"),
        ("[review.x.search.y]\ndatabase = 'A'\ndate = '2026-01-01'", "[review.x.search.y] date: a date such as 2026-11-20, without quotes"),
        ("[review.x.search.y]\ndate = 2026-01-01\ndatabas = 'A'", "databas: there is no such option; did you mean 'database'?"),
        ("[limits]\nmax_new = 3", "[limits] max_new: there is no such option; did you mean 'max_new_per_run'?"),
        ("[sources.crossref]\nurl = 'crossref.org'", "[sources.crossref] url: an address that begins with https:// is needed"),
        ("[sources.crossref]\nurl = 'https:///works'", "url: an address"),
        ("[sources.crossref]\nurl = 'ftp://example.org'", "url: an address"),
        ("[sources.crossref]\nurl = 'https://me:secret@example.org'", "url: an address without name and password"),
        ("[sources.crossref]\nurl = 'https://example.org:99999999'", "[sources.crossref] url: an address that begins with https:// is needed"),
        ("[sources.crossref]\nurl = 'http://[::1'", "[sources.crossref] url: an address that begins with https:// is needed"),
        ("[sources.crossref]\nurl = 'https://example.org/?a=1'", "[sources.crossref] url: an address without ? and #"),
        ("[library.main]\nid = 5", '[library.main] id: is no option of kind = "embedded"; it belongs to kind = "zotero"'),
        ("[library.main]\napi_key.env = 'A'", '[library.main] api_key: is no option of kind = "embedded"; it belongs to kind = "zotero" or "desktop"'),
        (f"{ZOTERO}api_key.env = 'A'\npath = 'x'", '[library.main] path: is no option of kind = "zotero"; it belongs to kind = "embedded"'),
        ("[library.main]\nkind = 'desktop'\nserver = 'x'", "[library.main] server: there is no such option; did you mean 'server_id'?"),
        ("[review.x.search.y]\ndatabase = 'A'\ndate = 2026-02-20T08:00:00", "without quotes, is needed, got 2026-02-20 08:00:00"),
        ("contact = " + "[" * 5000, "holds what no option needs"),
        ("[limits]\nmax_new_per_run = " + "9" * 5000, "holds what no option needs"),
        ("[web]\nport = 80", "[web] port: there is no such option"),
        ("[nonsense]", "nonsense: there is no such option"),
        ("this is no toml", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_fault_says_where_it_is_and_what_is_expected(tmp_path: Path, text: str, told: str) -> None:
    assert any(line.startswith("zotdrop.toml: ") and told in line for line in faults(tmp_path, text))


def test_a_name_that_leads_nowhere_is_told_together_with_wrong_options(tmp_path: Path) -> None:
    told = faults(tmp_path, "[library.a]\n[inbox.x]\nlibrary = 'b'\nkeywords = 'loud'\n[inbox.y]\nlibrary = 'c'\n")
    assert len(told) == 3
    assert told[-1] == "zotdrop.toml: [inbox.y] library: there is no [library.c]; there is a"


@pytest.mark.parametrize("option", ["api_key", "id", "type", "kind", "url", "path", "api_kee"])
@pytest.mark.parametrize("value", [f"'{LIKE_A_KEY}'", f"{{ enviroment = '{LIKE_A_KEY}' }}", f"['{LIKE_A_KEY}']"])
def test_a_key_in_the_wrong_place_is_not_repeated(tmp_path: Path, option: str, value: str) -> None:
    kind = "" if option == "kind" else "kind = 'zotero'\n"
    told = faults(tmp_path, f"[library.main]\n{kind}{option} = {value}\n")
    assert told
    assert LIKE_A_KEY not in "\n".join(told)


@pytest.mark.parametrize("text", [f"library = '{KEY}'", f"library.main = '{KEY}'", f"sources.pubmed = '{KEY}'"])
def test_what_stands_where_a_section_belongs_is_not_repeated(tmp_path: Path, text: str) -> None:
    assert KEY not in "\n".join(faults(tmp_path, text))


def test_a_file_that_is_no_utf8_is_said_with_the_byte(tmp_path: Path) -> None:
    (tmp_path / "zotdrop.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigFault, match=r"zotdrop.toml: not UTF-8 \(byte 5\); save it as UTF-8"):
        load(tmp_path / "zotdrop.toml", {})
    with pytest.raises(ConfigFault, match="cannot be read"):
        load(tmp_path, {})


def test_a_mark_that_windows_editors_set_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "zotdrop.toml").write_bytes(b"\xef\xbb\xbfcontact = 'a@example.org'\r\n")
    assert load(tmp_path / "zotdrop.toml", {}).contact == "a@example.org"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[inbox.a]\npath = 'in'\n[inbox.b]\npath = 'in'", "[inbox.b] path: "),
        ("[inbox.a]\npath = 'in'\n[inbox.b]\npath = './in/sub/'", "would be taken twice"),
        ("[inbox.a]\npath = 'in/sub'\n[inbox.b]\npath = 'x/../in'", "would be taken twice"),
        ("[inbox.a]\npath = '.'", "[inbox.a] path: this config lies in"),
        ("[inbox.a]\npath = 'state'", "[inbox.a] path: the file of [state] lies in"),
        ("[library.main]\npath = 'inbox/l.sqlite'", "[inbox.default] path: the file of [library.main] lies in"),
        ("[library.main]\npath = 'state/zotdrop.sqlite'", "[library.main] path: "),
        ("[library.main]\n[library.b]", "[library.b] path: "),
        (
            "[library.z]\nkind = 'zotero'\nid = 5\napi_key.file = 'inbox/z.key'\n[library.main]",
            "the key of [library.z] lies in",
        ),
        ("[sources.pubmed]\napi_key.file = './inbox/sub/n.key'", "the key of [sources.pubmed] lies in"),
    ],
)
def test_files_and_inboxes_do_not_get_in_each_other_s_way(tmp_path: Path, text: str, told: str) -> None:
    assert any(told in line for line in faults(tmp_path, text))


def test_an_inbox_behind_a_link_is_seen_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert "lie in each other" in faults(tmp_path, "[inbox.a]\npath = 'real'\n[inbox.b]\npath = 'link/x'")[0]


def test_a_link_that_leads_back_to_itself_is_a_path_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    config = load(written(tmp_path, "[inbox.default]\npath = 'loop/x'\n"), {})
    assert config.inbox["default"].path == str(tmp_path / "loop" / "x")


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    text = "[inbox.default]\npath = 'in/box'\n[inbox.far]\npath = '/far/away'\n[inbox.home]\npath = '~/drops'\n"
    config = load(written(tmp_path, text), {})
    assert [own.path for own in config.inbox.values()] == [
        str(tmp_path / "in" / "box"),
        "/far/away",
        "/home/somebody/drops",
    ]
    assert Path(config.state.path).parent == tmp_path / "state"
    assert config.library["main"].path == str(tmp_path / "library.sqlite")  # type: ignore[union-attr]


def test_addresses_are_stripped_of_their_last_stroke_but_for_one_that_needs_it(tmp_path: Path) -> None:
    text = "[sources.crossref]\nurl = 'https://a.org/'\n[sources.pubmed]\nurl = 'https://b.org/x//'\nidconv_url = 'https://c.org/y/'"
    sources = load(written(tmp_path, text), {}).sources
    assert (sources.crossref.url, sources.pubmed.url, sources.pubmed.idconv_url) == (
        "https://a.org",
        "https://b.org/x",
        "https://c.org/y/",
    )


def test_the_environment_overrides_single_values(tmp_path: Path) -> None:
    environment = {
        "ZOTDROP__CONTACT": "a@example.org",
        "ZOTDROP__LIMITS__MAX_NEW_PER_RUN": "7",
        "ZOTDROP__SOURCES__CROSSREF__URL": "http://x",
        "ZOTDROP__SOURCES__USE": '["crossref"]',
        "ZOTDROP__INBOX__TEAM_ONE__SETTLE_SECONDS": "1.5",
        "ZOTDROP__INBOX__NEW__PATH": "new",
        "ZOTDROP_CONFIG": "elsewhere",
        "OTHER": "x",
    }
    config = load(written(tmp_path, "contact = 'b@example.org'\n[inbox.Team-One]\npath = 'team'\n"), environment)
    assert (config.contact, config.limits.max_new_per_run) == ("a@example.org", 7)
    assert (config.sources.crossref.url, config.sources.use) == ("http://x", ["crossref"])
    assert config.inbox["Team-One"].settle_seconds == 1.5
    assert config.inbox["new"].path == str(tmp_path / "new")


@pytest.mark.parametrize(
    "key", ["12345678", "true", "1e5", "[1]", "'quoted'", "2026-01-01", "9" * 5000, "[" * 5000, KEY]
)
def test_an_override_that_reads_as_another_kind_of_value_is_text_where_text_is_needed(tmp_path: Path, key: str) -> None:
    environment = {"ZOTDROP__LIBRARY__MAIN__API_KEY": key, "ZOTDROP__LIBRARY__MAIN__KIND": "zotero"}
    config = load(written(tmp_path, "[library.main]\nid = 5\n"), environment)
    assert config.library["main"].api_key == Secret("plain", key.strip("'"))  # type: ignore[union-attr]
    assert not any("stands in the file" in warning for warning in config.warnings)


def test_an_override_that_is_wrong_is_told_by_its_name(tmp_path: Path) -> None:
    environment = {
        "ZOTDROP__LIMITS__MAX_NEW_PER_RUN": "many",
        "ZOTDROP__STATE": "x",
        "ZOTDROP__CONTACTS": "y",
        "ZOTDROP__STATE__PATH__DEEP": "z",
        "ZOTDROP__": "w",
    }
    told = faults(tmp_path, "", **environment)
    assert "ZOTDROP__LIMITS__MAX_NEW_PER_RUN: a whole number is needed, got 'many'" in told
    assert "ZOTDROP__STATE: a section is needed" in told
    assert "ZOTDROP__CONTACTS: there is no such option; did you mean 'contact'?" in told


def test_a_config_is_found_where_it_is_looked_for(tmp_path: Path) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    with pytest.raises(ConfigFault, match="zotdrop init"):
        find_and_load(None, {}, here, home)
    written(home, "contact = 'home@example.org'\n")
    assert find_and_load(None, {"ZOTDROP_CONFIG": ""}, here, home).contact == "home@example.org"
    written(here, "contact = 'here@example.org'\n")
    assert find_and_load(None, {}, here, home).contact == "here@example.org"
    other = tmp_path / "other.toml"
    other.write_text("contact = 'other@example.org'\n")
    assert find_and_load(None, {"ZOTDROP_CONFIG": str(other)}, here, home).contact == "other@example.org"
    assert find_and_load(other, {"ZOTDROP_CONFIG": str(here / "zotdrop.toml")}, here).contact == "other@example.org"


@pytest.mark.parametrize("named", ["missing.toml", ".", "~/missing.toml", "~nobody-of-that-name/zotdrop.toml"])
def test_a_config_that_was_named_and_is_not_there_is_a_fault_and_no_other_is_taken(
    tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "contact = 'here@example.org'\n")
    monkeypatch.chdir(tmp_path)
    for given, environ in ((None, {"ZOTDROP_CONFIG": named}), (Path(named), {})):
        with pytest.raises(
            ConfigFault, match=r"no such file; `zotdrop init` writes one|a folder; name the config file"
        ):
            find_and_load(given, environ, tmp_path, tmp_path)


def test_a_folder_without_a_config_says_how_one_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "my references"
    folder.mkdir()
    with pytest.raises(ConfigFault) as told:
        find_and_load(folder, {}, tmp_path, tmp_path)
    assert (
        str(told.value) == f"{folder}: a folder; there is no zotdrop.toml in it; `zotdrop init '{folder}'` writes one"
    )


@pytest.mark.usefixtures("user_s_own_folder")
def test_without_being_told_it_looks_in_the_user_s_own_folder(tmp_path: Path) -> None:
    assert find_and_load(None, {}, tmp_path).contact == "home@example.org"


@pytest.fixture
def user_s_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A config where this system keeps a user's own."""
    folder = tmp_path / "own"
    folder.mkdir()
    written(folder, "contact = 'home@example.org'\n")
    monkeypatch.setattr(platformdirs, "user_config_path", {"zotdrop": folder}.__getitem__)


def test_a_config_that_may_not_be_looked_at_is_a_fault_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_file(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", is_file)
    with pytest.raises(ConfigFault, match=r"zotdrop.toml: cannot be read .Permission denied"):
        find_and_load(None, {}, tmp_path)


def test_a_key_in_the_file_is_warned_about_and_never_shown(tmp_path: Path) -> None:
    path = written(tmp_path, f"{ZOTERO}api_key = '{KEY}'\n[sources.pubmed]\napi_key = '{KEY}'\n")
    path.chmod(0o640)
    config = load(path, {})
    assert config.library["main"].api_key == Secret("plain", KEY)  # type: ignore[union-attr]
    stands = [warning for warning in config.warnings if "stands in the file itself" in warning]
    assert [warning.split(" api_key")[0] for warning in stands] == [
        "zotdrop.toml: [library.main]",
        "zotdrop.toml: [sources.pubmed]",
    ]
    assert any("chmod 600" in warning for warning in config.warnings)
    shown = f"{redacted(config)} {config} {config!r} {config.warnings} {config.model_dump()}"
    assert KEY not in shown
    assert redacted(config)["library"]["main"]["api_key"] == "(set)"
    path.chmod(0o600)
    assert not any("chmod" in warning for warning in load(path, {}).warnings)


def test_a_key_file_that_others_can_read_is_warned_about(tmp_path: Path) -> None:
    path = written(tmp_path, f"contact = 'a@example.org'\n{ZOTERO}api_key = {{ file = 'k' }}\n")
    assert load(path, {}).warnings == ()
    (tmp_path / "k").write_text(KEY)
    (tmp_path / "k").chmod(0o604)
    assert load(path, {}).warnings == (
        f"[library.main] api_key: {tmp_path / 'k'} can be read by others: chmod 600 {tmp_path / 'k'}",
    )
    (tmp_path / "k").chmod(0o600)
    assert load(path, {}).warnings == ()


@pytest.mark.parametrize(
    "section", [f"{ZOTERO}api_key.env = 'A'\nurl", "[sources.pubmed]\napi_key.env = 'A'\nurl"], ids=["zotero", "pubmed"]
)
def test_a_key_that_would_travel_for_all_to_read_is_refused(tmp_path: Path, section: str) -> None:
    text = f"contact = 'a@example.org'\n{section} = 'http://{{}}'\n"
    for there in ("a.org", "10.0.0.1:8080", "127.0.0.1.a.org", "localhost.a.org"):
        with pytest.raises(ConfigFault, match=r"for all to read; write https://"):
            load(written(tmp_path, text.format(there)), {})
    assert load(written(tmp_path, text.format("127.0.0.1:8080")), {}).warnings == ()
    assert (
        load(written(tmp_path, "contact = 'a@example.org'\n[sources.crossref]\nurl = 'http://a.org'\n"), {}).warnings
        == ()
    )


def test_a_config_that_others_can_change_is_warned_about_with_the_fix(tmp_path: Path) -> None:
    path = written(tmp_path, "contact = 'a@example.org'\n")
    path.chmod(0o646)
    assert load(path, {}).warnings == (
        f"zotdrop.toml can be changed by others, and it may name commands that are run: chmod o-w {path}",
    )
    path.chmod(0o640)
    assert load(path, {}).warnings == ()


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("", True),
        ("[inbox.a]\nsources = []\n[inbox.b]\npath = 'b'", True),
        ("[sources]\nuse = []\n[inbox.a]\nsources = ['pubmed']", True),
        ("[sources]\nuse = []", False),
        ("[inbox.default]\nsources = []", False),
        ("contact = 'a@example.org'", False),
    ],
)
def test_a_nameless_client_is_warned_about_only_if_it_asks_anybody(tmp_path: Path, text: str, warned: bool) -> None:
    assert any("contact is empty" in told for told in load(written(tmp_path, text), {}).warnings) is warned


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("{ env = 'A' }", Secret("env", "A")),
        ("{ file = '/etc/k' }", Secret("file", "/etc/k")),
        ("{ command = ['pass', 'z'] }", Secret("command", ("pass", "z"))),
        ("{ command = ['/bin/k', 'z'] }", Secret("command", ("/bin/k", "z"))),
        ("{ credential = 'z' }", Secret("credential", "z")),
        ("{ keyring = 'z' }", Secret("keyring", "z")),
    ],
)
def test_keys_may_come_from_anywhere(tmp_path: Path, form: str, expected: Secret) -> None:
    config = load(written(tmp_path, f"{ZOTERO}api_key = {form}\n[sources.pubmed]\napi_key = {form}\n"), {})
    assert config.library["main"].api_key == expected  # type: ignore[union-attr]
    assert config.sources.pubmed.api_key == expected
    shown = redacted(config)["sources"]["pubmed"]["api_key"]
    assert shown == {expected.kind: "(set)" if expected.kind == "command" else expected.value}


def test_files_and_programs_of_keys_are_relative_to_the_config(tmp_path: Path) -> None:
    for kind, value in (("file", "'sub/k'"), ("command", "['sub/k', 'z']")):
        text = f"{ZOTERO}api_key = {{ {kind} = {value} }}\n[sources.pubmed]\napi_key = {{ {kind} = {value} }}\n"
        config = load(written(tmp_path, text), {})
        full = str(tmp_path / "sub" / "k")
        expected = Secret(kind, full if kind == "file" else (full, "z"))
        assert config.library["main"].api_key == config.sources.pubmed.api_key == expected  # type: ignore[union-attr]


def test_a_config_cannot_be_changed_after_it_was_loaded(tmp_path: Path) -> None:
    config = load(written(tmp_path, ""), {})
    with pytest.raises(ValueError, match="frozen"):
        config.contact = "x"  # type: ignore[misc]


def test_schedules_know_their_time_zone(tmp_path: Path) -> None:
    assert load(written(tmp_path, ""), {}).zone() is None
    zone = load(written(tmp_path, "timezone = 'Europe/Berlin'"), {}).zone()
    assert str(zone) == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("[inbox.default.keyword_map]\na = 'b'", 'keyword_map has no effect: keywords = "automatic", not "mapped"'),
        ("[inbox.default]\nkeywords = 'mapped'", "keyword_map names no keyword, so that every keyword is dropped"),
        ("[inbox.default]\nkeywords = 'mapped'\nother_keywords = 'automatic'", ""),
        ("[inbox.default]\nkeywords = 'mapped'\n[inbox.default.keyword_map]\na = 'b'", ""),
    ],
)
def test_a_table_of_keywords_that_does_nothing_or_drops_all_is_warned_about(
    tmp_path: Path, text: str, warning: str
) -> None:
    told = [one for one in load(written(tmp_path, text), {}).warnings if "keyword_map" in one]
    assert [warning in one for one in told] == ([True] if warning else [])
