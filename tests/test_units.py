"""The files for services: systemd takes them, they hold no more rights than they need, and `init --systemd` fits them to a config."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from sync import cli, units
from sync.cli.switches import Common
from sync.errors import ConfigFault, UsageFault
from sync.scaffold import config_file, scaffold
from sync.service.serving import AT_MOST

SERVICES = ("zotdrop.service", "zotdrop-sync.service", "zotdrop@.service")
has_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")


def read(text: str) -> dict[str, list[str]]:
    """The lines of a unit, by name."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return found


def shipped(name: str) -> dict[str, list[str]]:
    return read(config_file(f"systemd/{name}").decode())


def analyze(*words: str, runtime: Path | None = None) -> subprocess.CompletedProcess[str]:
    """runtime: where a user's own manager keeps what it runs with."""
    environment = {**os.environ, **({"XDG_RUNTIME_DIR": str(runtime)} if runtime else {})}
    command = ["systemd-analyze", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def put(folder: Path, texts: dict[str, str]) -> Path:
    """These units in a folder, the tenants' one as that of `one`."""
    for name, text in texts.items():
        (folder / name.replace("@.", "@one.")).write_text(text)
    return folder


@has_systemd
@pytest.mark.parametrize("name", [*SERVICES, "zotdrop-sync.timer"])
def test_systemd_has_nothing_against_a_unit(tmp_path: Path, name: str) -> None:
    put(tmp_path, {each: config_file(f"systemd/{each}").decode() for each in (*SERVICES, "zotdrop-sync.timer")})
    done = analyze("verify", "--man=no", str(tmp_path / name.replace("@.", "@one.")))
    assert (done.returncode, [line for line in done.stderr.splitlines() if "zotdrop" in line]) == (0, [])


@has_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_is_hardened_as_systemd_counts_it(tmp_path: Path, name: str) -> None:
    put(tmp_path, {name: config_file(f"systemd/{name}").decode()})
    path = str(tmp_path / name.replace("@.", "@one."))
    done = analyze("security", "--offline=true", "--threshold=15", path)
    assert done.returncode == 0, done.stdout[-400:]


@pytest.mark.parametrize("name", ["zotdrop.service", "zotdrop@.service"])
def test_a_service_is_watched_reloaded_stopped_in_time_and_not_restarted_with_a_bad_key(name: str) -> None:
    unit = shipped(name)
    assert (unit["Type"], unit["NotifyAccess"], unit["WatchdogSec"]) == (["notify"], ["main"], ["120"])
    assert unit["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert unit["RestartPreventExitStatus"] == [f"{UsageFault.exit_code} {ConfigFault.exit_code}"]
    assert AT_MOST < float(unit["TimeoutStopSec"][0]) < 15


def test_one_run_by_a_timer_is_a_success_where_a_service_was_away_or_a_record_failed() -> None:
    unit, timer = shipped("zotdrop-sync.service"), shipped("zotdrop-sync.timer")
    assert (unit["Type"], unit["SuccessExitStatus"]) == (["oneshot"], ["4 5"])
    assert unit["ExecStart"][0].endswith("zotdrop.toml run --once")
    assert (unit["Restart"], timer["Persistent"]) == ([], ["true"])


def test_tenants_share_nothing() -> None:
    unit = shipped("zotdrop@.service")
    for name in ("User", "Group", "StateDirectory", "ReadWritePaths", "ExecStart"):
        assert all("%i" in value for value in unit[name]), name


def test_all_services_are_hardened_alike() -> None:
    def hard(name: str) -> str:
        text = config_file(f"systemd/{name}").decode()
        return text[text.index("NoNewPrivileges") :].split("\n[Install]")[0].strip()

    assert len({hard(name) for name in SERVICES}) == 1


# ---- init ---------------------------------------------------------------------------------------------------------


def init(folder: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(cli.cli, ["init", *words, str(folder)], obj=Common())
    assert (done.exit_code if not isinstance(done.exception, UsageFault) else 2) == code, done.output
    return done.output


def two_inboxes(folder: Path) -> None:
    folder.mkdir()
    (folder / "zotdrop.toml").write_text(
        f"[library.main]\npath = 'books/library.sqlite'\n[inbox.a]\npath = '{folder}/in a $x 100%'\n[inbox.b]\npath = 'b'\n"
    )


@pytest.mark.parametrize("words", [(), ("--user",)], ids=["system", "user"])
def test_init_writes_units_with_every_path_of_the_config(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = tmp_path / "ref erences"
    two_inboxes(folder)
    told = init(folder, "--systemd", *words)
    unit = read((folder / "systemd" / "zotdrop.service").read_text())
    places = [folder / "b", folder / "books", f"{folder}/in a $$x 100%%", folder / "state"]
    assert unit["ReadWritePaths"] == [" ".join(f'"{place}"' for place in places)]
    assert unit["ExecStart"][0].endswith(f'-c "{folder}/zotdrop.toml" run')
    assert Path(unit["ExecStart"][0].split()[0]).is_absolute()
    assert ("User" in unit) is not bool(words)
    assert ("useradd --system" in told) is not bool(words)
    once = read((folder / "systemd" / "zotdrop-sync.service").read_text())
    assert once["ExecStart"][0].endswith('zotdrop.toml" run --once')
    assert once["ReadWritePaths"] == unit["ReadWritePaths"]


@has_systemd
@pytest.mark.parametrize("words", [(), ("--user",)], ids=["system", "user"])
def test_systemd_has_nothing_against_what_init_writes(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = tmp_path / "ref erences"
    two_inboxes(folder)
    init(folder, "--systemd", *words)
    for name in units.UNITS:
        done = analyze("verify", "--man=no", *words, str(folder / "systemd" / name), runtime=tmp_path)
        assert (done.returncode, [line for line in done.stderr.splitlines() if "zotdrop" in line]) == (0, []), name


def test_who_is_in_the_group_of_an_inbox_may_drop_files_and_they_belong_to_the_group(tmp_path: Path) -> None:
    init(tmp_path / "new", "--systemd")
    modes = {oct((tmp_path / "new" / name).stat().st_mode & 0o7777) for name in ("inbox", "inbox/done", "inbox/held")}
    assert modes == {"0o2770"}


def test_for_oneself_rights_are_left_as_they_are(tmp_path: Path) -> None:
    before = scaffold(tmp_path / "old")
    mode = (tmp_path / "old" / "inbox").stat().st_mode
    told = init(tmp_path / "old", "--systemd", "--user")
    assert (tmp_path / "old" / "inbox").stat().st_mode == mode
    assert "systemctl --user enable --now zotdrop" in told
    assert before


def test_user_without_systemd_is_refused(tmp_path: Path) -> None:
    init(tmp_path / "new", "--user", code=2)
    assert not (tmp_path / "new").exists()


def test_a_home_is_seen_read_only_where_something_lies_in_it_and_not_at_all_elsewhere() -> None:
    def home(*paths: str) -> str | None:
        first, *writes = map(Path, paths)
        return units.changes(units.Place(["/opt/z"], first, writes), user=False)["ProtectHome"]

    assert home("/etc/zotdrop/zotdrop.toml", "/srv/in") == "yes"
    assert home("/etc/zotdrop/zotdrop.toml", "/srv/in", "/home/ada/in") == "read-only"
    assert home("/root/zotdrop.toml") == "read-only"


@pytest.mark.parametrize(
    ("word", "read_back"),
    [("/a/b", "/a/b"), ("/a b", '"/a b"'), ("100%", "100%%"), ("$x", "$$x"), ('q"', '"q\\""'), ("b\\", '"b\\\\"')],
)
def test_a_word_is_quoted_as_systemd_reads_it(word: str, read_back: str) -> None:
    assert units.quoted(word) == read_back


# ---- others -------------------------------------------------------------------------------------------------------


def container() -> list[tuple[str, str]]:
    """The steps of the container file, continued lines joined."""
    text = config_file("Containerfile").decode().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(step, " ".join(rest.split())) for step, rest in lines]


def test_the_container_file_has_nothing_that_a_linter_would_find() -> None:
    steps = container()
    (base,) = [rest for step, rest in steps if step == "FROM"]
    assert re.fullmatch(r"[a-z./-]+:[0-9][\w.-]+", base), "the base needs a tag with a version"
    users = [rest for step, rest in steps if step == "USER"]
    assert users
    assert re.fullmatch(r"[1-9]\d*", users[-1]), "a number, so that everybody sees that it is not root"
    assert [step for step, _ in steps].count("CMD") == [step for step, _ in steps].count("ENTRYPOINT") == 1
    assert all(rest.startswith("[") for step, rest in steps if step in {"CMD", "ENTRYPOINT"}), (
        "signals reach no shell's child"
    )
    assert not [step for step, _ in steps if step in {"ADD", "MAINTAINER"}]
    for step, rest in steps:
        assert step != "RUN" or "sudo" not in rest
        assert step != "RUN" or "pip install" not in rest or "--no-cache-dir" in rest
        assert step != "WORKDIR" or rest.startswith("/")


def test_the_container_is_asked_how_it_is_by_a_command_that_there_is() -> None:
    (check,) = [rest for step, rest in container() if step == "HEALTHCHECK"]
    words = json.loads(check.split(" CMD ")[1])
    assert words[2].startswith("zotdrop -c /data/zotdrop.toml --json status | grep -q '\"daemon\": true'")
    (other,) = re.findall(r"test: (.+)", config_file("compose.yaml").decode())
    assert json.loads(other) == ["CMD", *words]
    assert "status" in cli.cli.commands
    assert "--start-period=" in check


def test_the_task_of_windows_runs_for_ever_and_never_twice() -> None:
    root = ET.fromstring(config_file("windows/zotdrop.xml"))
    name = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"

    def value(path: str) -> str:
        return root.findtext("/".join(f"{name}{part}" for part in path.split("/"))) or ""

    assert value("Actions/Exec/Arguments").endswith("zotdrop.toml run")
    assert value("Settings/MultipleInstancesPolicy") == "IgnoreNew"
    assert value("Settings/ExecutionTimeLimit") == "PT0S"
    assert value("Principals/Principal/RunLevel") == "LeastPrivilege"
