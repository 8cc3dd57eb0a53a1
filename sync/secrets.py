"""Where a key comes from: environment, file, command, systemd credential, keyring. It is shown nowhere."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sync.errors import CredentialFault

COMMAND_SECONDS = 30
KINDS = ("env", "file", "command", "credential", "keyring")


class Secret:
    """Where a key is to be had. Neither `str` nor `repr` shows it; `resolve` fetches it."""

    __slots__ = ("kind", "value")

    def __init__(self, kind: str, value: Any) -> None:
        self.kind, self.value = kind, value

    def __repr__(self) -> str:
        return f"Secret({self.kind})" if self.kind == "plain" else f"Secret({self.kind}={self.value!r})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.kind, self.value) == (other.kind, other.value)

    def __hash__(self) -> int:
        return hash((self.kind, str(self.value)))

    @property
    def plain(self) -> bool:
        """Whether the key itself stands in the config."""
        return self.kind == "plain"


def resolve(secret: Secret | None, environ: Mapping[str, str] | None = None) -> str:
    """The key itself. Raises CredentialFault, which says what to do and never shows the key."""
    if secret is None:
        raise CredentialFault('no api_key is set; write api_key = { env = "NAME" } or one of file, command, credential')
    key = _FETCH[secret.kind](secret.value, os.environ if environ is None else environ).strip()
    if not key:
        raise CredentialFault(f"{secret!r} is empty; put the key there")
    return key


def _env(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise CredentialFault(f"the environment variable {name} is not set; set it to the key")
    return environ[name]


def _file(path: str, _: Mapping[str, str]) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise CredentialFault(f"{path}: the key file cannot be read ({_why(fault)})") from None


def _command(command: list[str], environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # the owner's own config names the command
            command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False, env=dict(environ)
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise CredentialFault(f"the command {command[0]!r} that gives the key cannot be run ({_why(fault)})") from None
    if done.returncode:
        raise CredentialFault(
            f"the command {command[0]!r} that gives the key ended with {done.returncode}; try it by hand"
        )
    return done.stdout


def _credential(name: str, environ: Mapping[str, str]) -> str:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise CredentialFault(
            f"no systemd credential {name!r}: start the service with LoadCredential={name}:/path/to/key"
        )
    return _file(str(Path(folder) / name), environ)


def _keyring(name: str, _: Mapping[str, str]) -> str:
    try:
        import keyring
    except ImportError:
        raise CredentialFault("keyring is not installed; install zotdrop[keyring], or use env or file") from None
    return keyring.get_password("zotdrop", name) or ""


def _plain(value: str, _: Mapping[str, str]) -> str:
    return value


def _why(fault: Exception) -> str:
    return getattr(fault, "strerror", None) or type(fault).__name__


_FETCH: Mapping[str, Callable[[Any, Mapping[str, str]], str]] = {
    "env": _env,
    "file": _file,
    "command": _command,
    "credential": _credential,
    "keyring": _keyring,
    "plain": _plain,
}
