"""What `zotdrop init --systemd` writes: the shipped units with the paths of a config, and what is to be done with them. Pure but for `write`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.config import Config, EmbeddedLibrary, load
from sync.errors import UsageFault
from sync.scaffold import NAME, config_file

UNITS = ("zotdrop.service", "zotdrop-sync.service", "zotdrop-sync.timer")
SHARED = 0o2770  # of an inbox: who is in its group may drop files, and what they drop belongs to the group
_HOMES = ("/home", "/root", "/run/user")
# What only the system's own manager can do; a user's refuses it or has nothing to gain.
_SYSTEM_ONLY = (
    *("User", "Group", "StateDirectory", "StateDirectoryMode", "CapabilityBoundingSet", "AmbientCapabilities"),
    *("PrivateDevices", "DevicePolicy", "ProtectClock", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules"),
    *("ProtectProc", "ProcSubset", "PrivateMounts", "RemoveIPC", "After", "Wants"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a zotdrop is: the words of its command, its config file, and the folders that it writes to."""

    command: Sequence[str]
    config: Path
    writes: Sequence[Path]

    @property
    def at_home(self) -> bool:
        """Whether anything of it lies in somebody's home."""
        paths = [Path(self.command[0]), self.config, *self.writes]
        return any(path.is_relative_to(home) for path in paths for home in _HOMES)


def write(folder: Path, *, user: bool) -> list[str]:
    """Write the units beside the config in this folder, and let the groups of its inboxes drop files; what to do next, line by
    line. Raises ConfigFault and UsageFault.
    """
    config = load(folder / NAME, {})
    place = Place(command_of(), (folder / NAME).resolve(), list(folders(config)))
    goal = folder / "systemd"
    try:
        goal.mkdir(exist_ok=True)
        for name in UNITS:
            (goal / name).write_text(tailored(config_file(f"systemd/{name}").decode(), changes(place, user=user)))
        if not user:
            for inbox in config.inbox.values():
                for path in (Path(inbox.path), Path(inbox.path) / "done", Path(inbox.path) / "held"):
                    path.chmod(SHARED)
    except OSError as fault:
        raise UsageFault(f"{goal}: cannot be written ({fault.strerror})") from fault
    return [f"{goal / name}: written" for name in UNITS] + list(next_steps(goal, place, user=user))


def command_of() -> list[str]:
    """The words that start this zotdrop, with its full path."""
    named = shutil.which(sys.argv[0]) if Path(sys.argv[0]).name == "zotdrop" else None
    beside = Path(sys.executable).with_name("zotdrop")
    if named:
        return [str(Path(named).absolute())]
    return [str(beside)] if beside.is_file() else [sys.executable, "-m", "sync"]


def folders(config: Config) -> Iterator[Path]:
    """The folders that a service with this config writes to, each once, none inside another."""
    found = {Path(config.state.path).parent, *(Path(inbox.path) for inbox in config.inbox.values())}
    found |= {Path(own.path).parent for own in config.library.values() if isinstance(own, EmbeddedLibrary)}
    outer: list[Path] = []
    for path in sorted(path.resolve() for path in found):
        if not any(path.is_relative_to(known) for known in outer):
            outer.append(path)
            yield path


def changes(place: Place, *, user: bool) -> dict[str, str | None]:
    """The lines of a unit that are other than shipped: name and value, None for a line that falls away."""
    command = " ".join(quoted(word) for word in (*place.command, "-c", str(place.config)))
    changed: dict[str, str | None] = {
        "ExecStart": command,
        "ReadWritePaths": " ".join(quoted(str(path)) for path in place.writes),
        "ProtectHome": "read-only" if user or place.at_home else "yes",
    }
    if user:
        changed |= {"WantedBy": "default.target", **dict.fromkeys(_SYSTEM_ONLY)}
    return changed


def tailored(text: str, changed: Mapping[str, str | None]) -> str:
    """A shipped unit with other values, without its comments; what follows the config in its command stays as it is."""
    lines = []
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if line.startswith("#"):
            continue
        if not equals or name not in changed:
            lines.append(line)
        elif name == "ExecStart":
            lines.append(f"{name}={changed[name]} {value.split('.toml ')[1]}")
        elif name == "WantedBy" and value == "timers.target":
            lines.append(line)
        elif (new := changed[name]) is not None:
            lines.append(f"{name}={new}")
    return "\n".join(lines).strip() + "\n"


def quoted(word: str) -> str:
    """A word as systemd reads it back: specifiers, variables, quotes and blanks lose their meaning."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{safe}"' if any(letter in safe for letter in " \t'\"\\;") else safe


def next_steps(goal: Path, place: Place, *, user: bool) -> Iterator[str]:
    """What is left to be done by hand."""
    if user:
        yield f"next: cp {goal}/zotdrop.service ~/.config/systemd/user/ && systemctl --user enable --now zotdrop"
        yield "so that it runs while you are not logged in: loginctl enable-linger"
        return
    owned = " ".join(str(path) for path in place.writes)
    yield "next, as root: useradd --system --shell /usr/sbin/nologin zotdrop"
    yield f"chown -R zotdrop:zotdrop {owned} && chgrp zotdrop {place.config} && chmod 640 {place.config}"
    yield f"cp {goal}/zotdrop.service /etc/systemd/system/ && systemctl daemon-reload && systemctl enable --now zotdrop"
    yield "who shall drop files: usermod -aG zotdrop NAME. Instead of the service, a timer: zotdrop-sync.service and .timer"
    if place.at_home:
        yield f"{place.config} or a folder of it lies in somebody's home; /etc/zotdrop and /srv are better places for a service"
