"""What `init` writes can be used at once, and the files for services say what the service needs."""

from __future__ import annotations

import plistlib
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sync import cli, config, scaffold
from sync.cli.switches import Common
from sync.errors import ConfigFault, CredentialFault, UsageFault
from sync.scaffold import config_file

ROOT = Path(__file__).resolve().parents[1]


def test_what_init_writes_is_a_config_whose_folders_are_there(tmp_path: Path) -> None:
    told = scaffold.scaffold(tmp_path / "new")
    made = config.load(tmp_path / "new" / "zotdrop.toml", {})
    inbox = Path(made.inbox["default"].path)
    assert [(inbox / name).is_dir() for name in (".", "done", "held")] == [True] * 3
    assert Path(made.state.path).parent.is_dir()
    assert told[0].endswith("zotdrop.toml: written; every option stands in it with a comment")
    assert told[1] == f"{inbox}: drop RIS files here"
    assert told[-1].startswith("next: ")


def test_what_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    scaffold.scaffold(tmp_path)
    (tmp_path / "zotdrop.toml").write_text("contact = 'a@example.org'\n")
    (tmp_path / "inbox" / "a.ris").write_text("mine")
    told = scaffold.scaffold(tmp_path)
    assert "already there, left as it is" in told[0]
    assert (tmp_path / "zotdrop.toml").read_text() == "contact = 'a@example.org'\n"
    assert (tmp_path / "inbox" / "a.ris").read_text() == "mine"


def test_the_folders_are_those_that_the_config_names(tmp_path: Path) -> None:
    text = "[state]\npath = 'memory/z.sqlite'\n[inbox.a]\npath = 'one'\n[inbox.b]\npath = 'two/deep'\n"
    (tmp_path / "zotdrop.toml").write_text(text)
    scaffold.scaffold(tmp_path)
    folders = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_dir()}
    assert folders == {"memory", "one", "one/done", "one/held", "two", "two/deep", "two/deep/done", "two/deep/held"}


def test_a_config_that_cannot_be_understood_is_said_and_left(tmp_path: Path) -> None:
    (tmp_path / "zotdrop.toml").write_text("no toml")
    with pytest.raises(UsageFault, match="not valid TOML"):
        scaffold.scaffold(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["zotdrop.toml"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageFault, match="cannot be set up"):
        scaffold.scaffold(tmp_path / "file" / "new")


def test_a_file_that_does_not_ship_is_said() -> None:
    with pytest.raises(UsageFault, match="install it again"):
        config_file("nonsense.toml")


def unit() -> dict[str, dict[str, list[str]]]:
    """The systemd unit: by section and name, the values in order (a name may stand several times)."""
    sections: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in config_file("systemd/zotdrop.service").decode().splitlines():
        if not line.strip() or line.startswith(("#", ";")):
            continue
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = found.group(1)
            continue
        name, equals, value = line.partition("=")
        assert equals, line
        assert re.fullmatch(r"[A-Z]\w+", name), line
        sections[section][name].append(value)
    return sections


@pytest.fixture
def is_a_command(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], bool]:
    """Whether zotdrop's own command line takes these words: it comes as far as asking for the config they name."""

    def find_and_load(given: Path | None) -> None:
        raise ConfigFault(f"asked for {given}")

    def takes(words: list[str]) -> bool:
        done = CliRunner().invoke(cli.cli, words, obj=Common())
        return words[0] == "-c" and str(done.exception) == f"asked for {words[1]}"

    monkeypatch.setattr(config, "find_and_load", find_and_load)
    return takes


def test_the_unit_tells_systemd_when_it_is_ready_and_that_it_lives(is_a_command: Callable[[list[str]], bool]) -> None:
    service = unit()["Service"]
    assert service["Type"] == ["notify"]
    assert service["ExecStart"] == ["/usr/bin/env zotdrop -c /etc/zotdrop/zotdrop.toml run"]
    assert is_a_command(service["ExecStart"][0].split()[2:])
    assert int(service["WatchdogSec"][0]) > 3 * 10  # the daemon tells it every ten seconds
    assert set(unit()) == {"Unit", "Service", "Install"}


def test_the_unit_does_not_restart_what_cannot_mend_itself() -> None:
    service = unit()["Service"]
    assert service["Restart"] == ["on-failure"]
    hopeless = {int(code) for code in service["RestartPreventExitStatus"][0].split()}
    assert hopeless == {UsageFault.exit_code, ConfigFault.exit_code, CredentialFault.exit_code}


def test_the_unit_may_write_to_its_own_places_alone() -> None:
    service = unit()["Service"]
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "ProtectKernelModules", "RestrictSUIDSGID"):
        assert service[name] == ["yes"], name
    assert service["ProtectSystem"] == ["strict"]
    assert (service["StateDirectory"], service["ReadWritePaths"]) == (["zotdrop"], ["/srv/zotdrop"])
    assert service["CapabilityBoundingSet"] == [""]
    assert "AF_UNIX" in service["RestrictAddressFamilies"][0].split()  # the way to tell systemd anything
    assert service["User"] == ["zotdrop"]


def test_the_key_that_the_unit_speaks_of_is_a_key_that_the_config_takes(tmp_path: Path) -> None:
    text = config_file("systemd/zotdrop.service").decode()
    (named,) = re.findall(r"api_key = (\{.*?\})", text)
    (tmp_path / "zotdrop.toml").write_text(f"[library.main]\nkind = 'zotero'\nid = 5\napi_key = {named}\n")
    key = config.load(tmp_path / "zotdrop.toml", {}).library["main"].api_key  # type: ignore[union-attr]
    assert key is not None
    assert f"# LoadCredential={key.value}:" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_itself_has_nothing_against_the_unit(tmp_path: Path) -> None:
    (tmp_path / "zotdrop.service").write_bytes(config_file("systemd/zotdrop.service"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "zotdrop.service")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "zotdrop.service" not in done.stdout + done.stderr


def test_launchd_gets_whole_paths_and_a_command_that_is_one(is_a_command: Callable[[list[str]], bool]) -> None:
    plist = plistlib.loads(config_file("launchd/org.zotdrop.plist"))
    words = plist["ProgramArguments"]
    assert plist["Label"] == "org.zotdrop"
    assert words[:2] == ["/usr/bin/env", "zotdrop"]
    assert is_a_command(words[2:])
    assert all(path.startswith("/") for path in (words[3], plist["StandardErrorPath"]))
    assert all(folder.startswith("/") for folder in plist["EnvironmentVariables"]["PATH"].split(":"))
    assert (plist["RunAtLoad"], plist["KeepAlive"], plist["ExitTimeOut"]) == (True, {"SuccessfulExit": False}, 10)


def test_the_container_runs_zotdrop_as_nobody_in_particular(is_a_command: Callable[[list[str]], bool]) -> None:
    lines = config_file("Containerfile").decode().splitlines()
    words = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    steps = [word for word, _ in words]
    (entry,) = [rest for word, rest in words if word == "ENTRYPOINT"]
    (command,) = [rest for word, rest in words if word == "CMD"]
    assert (steps[0], entry) == ("FROM", '["zotdrop"]')
    assert is_a_command(re.findall(r'"([^"]+)"', command))
    assert steps.index("RUN") < steps.index("USER") < steps.index("ENTRYPOINT")
    copied = [source for word, rest in words if word == "COPY" for source in rest.split()[:-1]]
    assert {"pyproject.toml", "README.md", "LICENSE", "sync", "config"} == set(copied)
    assert all((ROOT / source).exists() for source in copied)


def compose() -> dict[str, Any]:
    """The compose file, of the little YAML that it needs: mappings, lists of words, plain and quoted values."""
    lines = [line for line in config_file("compose.yaml").decode().splitlines() if line.split("#")[0].strip()]

    def block(indent: int) -> Any:
        found: Any = [] if lines[0].lstrip().startswith("- ") else {}
        while lines and len(lines[0]) - len(lines[0].lstrip()) == indent:
            line = lines.pop(0).strip()
            if isinstance(found, list):
                found.append(line.removeprefix("- "))
                continue
            name, _, value = line.partition(":")
            deeper = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
            found[name] = value.strip() if value or deeper <= indent else block(deeper)
        return found

    made: dict[str, Any] = block(0)
    assert lines == [], "a line whose indent belongs to none above"
    return made


def test_compose_builds_the_container_and_keeps_its_data(is_a_command: Callable[[list[str]], bool]) -> None:
    service = compose()["services"]["zotdrop"]
    base = ROOT / "config" / service["build"]["context"]
    assert (base / service["build"]["dockerfile"]).resolve() == ROOT / "config" / "Containerfile"
    assert is_a_command(re.findall(r'"([^"]+)"', service["command"]))
    assert service["volumes"] == ["../data:/data"]
    assert (service["read_only"], service["tmpfs"], service["stop_grace_period"]) == ("true", ["/tmp"], "10s")
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert "\t" not in config_file("compose.yaml").decode()


def test_the_key_that_compose_speaks_of_lies_where_the_config_looks() -> None:
    text = config_file("compose.yaml").decode()
    (path,) = re.findall(r'file = "/run/secrets/(\w+)"', text)
    assert f"#   - {path}" in text
    assert f"#   {path}:" in text
