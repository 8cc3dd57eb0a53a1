"""What `zotdrop init` makes: a commented config and the folders it names. Nothing that is there is touched."""

from __future__ import annotations

from pathlib import Path

from sync.errors import UsageFault

FOLDERS = ("inbox", "inbox/done", "inbox/held", "state")


def config_file(name: str) -> bytes:
    """A file that ships with zotdrop: from the installed package, or from the checkout beside it."""
    here = Path(__file__).resolve().parent
    for folder in (here / "_config", here.parent / "config"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    raise UsageFault(f"{name} is missing from this installation of zotdrop; install it again")


def scaffold(folder: Path) -> list[str]:
    """Write the config and make the folders; what was done, line by line, and what to do next."""
    told = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "zotdrop.toml"
        if config.exists():
            told.append(f"{config}: already there, left as it is")
        else:
            config.write_bytes(config_file("zotdrop.example.toml"))
            told.append(f"{config}: written; every option stands in it with a comment")
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise UsageFault(f"{folder}: cannot be set up ({fault.strerror})") from fault
    return [
        *told,
        f"{folder / 'inbox'}: drop RIS files here",
        f"next: put your e-mail address into contact in {config}, then: zotdrop -c {config} sync, or: zotdrop -c {config} run",
    ]
