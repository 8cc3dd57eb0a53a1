"""The config file to one frozen Config: every fault named at once, with file, section, key and what is expected."""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sync.config.clashes import clashes, in_the_clear, real, warnings
from sync.config.faults import Place, loose_ends, place_of, told
from sync.config.keys import Placed, keys_of, with_keys
from sync.config.options import (
    Config,
    CrossrefSource,
    DesktopLibrary,
    EmbeddedLibrary,
    Inbox,
    PubMedSource,
    Review,
    Schedule,
    Search,
    ZoteroLibrary,
)
from sync.errors import ConfigFault
from sync.secrets import Secret

__all__ = [
    "Config",
    "CrossrefSource",
    "DesktopLibrary",
    "EmbeddedLibrary",
    "Inbox",
    "Placed",
    "PubMedSource",
    "Review",
    "Schedule",
    "Search",
    "ZoteroLibrary",
    "find_and_load",
    "keys_of",
    "load",
    "redacted",
]

NAME = "zotdrop.toml"


def find_and_load(
    given: Path | None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user_dir: Path | None = None,
) -> Config:
    """The config that `--config`, $ZOTDROP_CONFIG or the usual places name. Raises ConfigFault.

    user_dir: where this user's configs lie; without it, as the system has it.
    """
    environ = os.environ if environ is None else environ
    named = str(given or environ.get("ZOTDROP_CONFIG", ""))
    if named:
        path = _at_home(named)
        if os.path.isdir(path):  # noqa: PTH112 (no error for what we may not look at)
            raise ConfigFault(f"{path}: a folder; {_config_in(path)}")
        if not _is_there(path):
            raise ConfigFault(f"{path}: there is no such file; `zotdrop init` writes one")
        return load(path, environ)
    found = next(filter(_is_there, _usual_places(cwd or Path(), user_dir)), None)
    if found is None:
        raise ConfigFault(f"no {NAME} here; `zotdrop init` writes one, or name one with --config FILE")
    return load(found, environ)


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """The config in this file, with `ZOTDROP__SECTION__KEY` overrides. Raises ConfigFault, which names every fault."""
    data = _read(path)
    given = _override(data, environ)
    faults = [f"{path.name}: {fault}" for fault in loose_ends(data)]
    try:
        config = _validated(data, given)
    except ValidationError as wrong:
        faults = [*(told(path.name, error, given) for error in wrong.errors()), *faults]
    if faults:
        raise ConfigFault("\n".join(dict.fromkeys(faults)))
    settled = _settled(config, path)
    faults = [f"{path.name}: {fault}" for fault in (*in_the_clear(settled), *clashes(settled, path))]
    if faults:
        raise ConfigFault("\n".join(faults))
    return settled.model_copy(update={"warnings": tuple(warnings(settled, path, given))})


def redacted(config: Config) -> dict[str, Any]:
    """Every option with its value, for `config show`; where a key comes from, never a key."""

    def plain(value: Any) -> Any:
        if isinstance(value, Secret):
            return "(set)" if value.plain else {value.kind: value.value if value.kind != "command" else "(set)"}
        if isinstance(value, BaseModel):
            return {name: plain(getattr(value, name)) for name in type(value).model_fields if name != "warnings"}
        if isinstance(value, dict):
            return {name: plain(inner) for name, inner in value.items()}
        return str(value) if isinstance(value, date) else value

    shown: dict[str, Any] = plain(config)
    return shown


def _config_in(folder: Path) -> str:
    """What to do for a config in this folder: name the one that is there, or have one written."""
    if os.path.exists(folder / NAME):  # noqa: PTH110 (no error for what we may not look at)
        return f"name the config file, such as {folder / NAME}"
    return f"there is no {NAME} in it; `zotdrop init {shlex.quote(str(folder))}` writes one"


def _usual_places(cwd: Path, user_dir: Path | None) -> Iterator[Path]:
    import platformdirs

    yield cwd / NAME
    yield (user_dir or platformdirs.user_config_path("zotdrop")) / NAME
    yield Path("/etc/zotdrop") / NAME


def _at_home(named: str) -> Path:
    """A path as it was named, ~ spelt out; a name that is nobody's is a file's like any other."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        return Path(named)


def _is_there(path: Path) -> bool:
    """Whether it is a file; a folder that may not be entered is a fault, not an absence."""
    try:
        return path.is_file()
    except OSError as fault:
        raise ConfigFault(f"{path}: cannot be read ({fault.strerror}); mend its rights") from None


def _read(path: Path) -> dict[str, Any]:
    """What the file says, still unchecked; a library without a kind is embedded."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as fault:
        raise ConfigFault(f"{path.name}: not valid TOML: {fault}") from None
    except UnicodeDecodeError as fault:
        raise ConfigFault(f"{path}: not UTF-8 (byte {fault.start}); save it as UTF-8") from None
    except (ValueError, RecursionError) as fault:  # a number of thousands of digits, lists a thousand deep
        raise ConfigFault(f"{path.name}: holds what no option needs: {fault}") from None
    except OSError as fault:
        raise ConfigFault(f"{path}: cannot be read ({fault.strerror}); mend its rights") from None
    return data


def _override(data: dict[str, Any], environ: Mapping[str, str]) -> dict[Place, tuple[str, str]]:
    """Set what `ZOTDROP__SECTION__KEY` says; text that reads as a TOML value is one, all else is a string.

    By place: the variable and its text. Names are found whatever their case, and with _ for -.
    """
    given: dict[Place, tuple[str, str]] = {}
    for variable, text in sorted(environ.items()):
        if variable.startswith("ZOTDROP__"):
            place = _set(data, variable.lower().split("__")[1:], _toml(text))
            given.setdefault(place, (variable, text))
    return given


def _set(data: dict[str, Any], path: list[str], value: Any) -> Place:
    """Set one value, and where it was set; what is no section on the way is left to be found faulty."""
    place: Place = ()
    for word in path[:-1]:
        place = (*place, _spelt(data, word))
        inner = data.setdefault(place[-1], {})
        if not isinstance(inner, dict):
            return place
        data = inner
    name = _spelt(data, path[-1])
    data[name] = value
    return (*place, name)


def _spelt(data: Mapping[str, Any], word: str) -> str:
    return next((name for name in data if name.lower().replace("-", "_") == word), word)


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _validated(data: dict[str, Any], given: Mapping[Place, tuple[str, str]]) -> Config:
    """The checked config. An override that was wrong as a TOML value is tried as text: a key may be all digits."""
    libraries = data.get("library")
    for own in libraries.values() if isinstance(libraries, dict) else ():
        if isinstance(own, dict):
            own.setdefault("kind", "embedded")
    data = {name: value for name, value in data.items() if name != "warnings"}
    try:
        return Config.model_validate(data)
    except ValidationError as wrong:
        for place in {place_of(error) for error in wrong.errors()} & given.keys():
            _set(data, [name.lower().replace("-", "_") for name in place], given[place][1])
        return Config.model_validate(data)


def _settled(config: Config, path: Path) -> Config:
    """Paths made absolute: they are relative to the config file."""
    root = real(path).parent

    def moved(model: Any) -> Any:
        return model.model_copy(
            update={"path": str(root / Path(model.path).expanduser())} if hasattr(model, "path") else {}
        )

    def placed(key: Secret) -> Secret:
        if key.kind == "file":
            return Secret("file", str(root / Path(str(key.value)).expanduser()))
        if key.kind == "command" and "/" in key.value[0]:
            return Secret("command", (str(root / Path(key.value[0]).expanduser()), *key.value[1:]))
        return key

    library = {name: moved(own) for name, own in config.library.items()}
    inbox = {name: moved(own) for name, own in config.inbox.items()}
    changed = {"state": moved(config.state), "library": library, "inbox": inbox}
    return with_keys(config.model_copy(update=changed), placed)
