"""What `zotdrop init` makes: a commented config and the folders it names. Nothing that is there is touched."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sync.errors import UsageFault

NAME = "zotdrop.toml"
EXAMPLE = "zotdrop.example.toml"


def config_file(name: str) -> bytes:
    """A file that ships with zotdrop, such as `systemd/zotdrop.service`: from the installed package, or from the checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / "_config", here.parent / "config"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    raise UsageFault(f"{name} is missing from this installation of zotdrop; install it again")


def scaffold(folder: Path, library: Sequence[str] = ()) -> list[str]:
    """Write the config and make the folders; what was done, line by line, and what to do next. Raises UsageFault.

    library: the lines of [library.main] in a config that is written; without them it is an embedded one.
    """
    config = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        told = [_config(config, library)]
        inboxes = list(_inboxes(config))
        for made in (*inboxes, *(inbox / name for inbox in inboxes for name in ("done", "held")), _state(config)):
            made.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise UsageFault(f"{folder}: cannot be set up ({fault.strerror})") from fault
    address = "" if read(config).get("contact") else f"put your e-mail address into contact in {config}, then: "
    return [
        *told,
        *(f"{inbox}: drop RIS files here" for inbox in inboxes),
        f"next: {address}zotdrop -c {config} sync, or: zotdrop -c {config} run",
    ]


def read(config: Path) -> dict[str, Any]:
    """What a config says, unchecked: what is wrong in it is told when it is loaded, not here. Raises UsageFault."""
    try:
        return tomllib.loads(config.read_text(encoding="utf-8-sig"))
    except ValueError as fault:
        raise UsageFault(f"{config}: already there, and not valid TOML: {fault}; mend it, then init again") from None


def _config(path: Path, library: Sequence[str]) -> str:
    example = config_file(EXAMPLE)
    try:
        with path.open("xb") as file:
            file.write(_with_library(example.decode(), library).encode() if library else example)
    except FileExistsError:
        return f"{path}: already there, left as it is"
    return f"{path}: written; every option stands in it with a comment"


def _inboxes(config: Path) -> Iterator[Path]:
    """The inboxes that the config names, or the one that it has by default."""
    inboxes = _section(read(config), "inbox") or {"default": {}}
    for own in inboxes.values():
        path = own.get("path", "inbox") if isinstance(own, dict) else "inbox"
        yield config.parent / Path(str(path)).expanduser()


def _state(config: Path) -> Path:
    """The folder of the ledger."""
    path = _section(read(config), "state").get("path", "state/zotdrop.sqlite")
    return config.parent / Path(str(path)).expanduser().parent


def _section(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _with_library(example: str, library: Sequence[str]) -> str:
    """The example with other lines in its [library.main]: from the line below that name to the first empty one."""
    before, name, section = example.partition("[library.main]")
    heading, _, lines = section.partition("\n")
    own = "\n".join([heading, *library])
    return "".join((before, name, own, *lines.partition("\n\n")[1:]))
