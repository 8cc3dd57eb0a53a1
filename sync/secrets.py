"""Where a key comes from: environment, file, command, systemd credential, keyring. It is shown nowhere."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.errors import CredentialFault

COMMAND_SECONDS = 30
KINDS = ("env", "file", "command", "credential", "keyring")

# A key of zotero.org (24 letters and digits) or of NCBI (36 hexadecimal digits).
_KEY_ITSELF = re.compile(r"(?<![A-Za-z0-9])(?:(?=[A-Za-z]*\d)[A-Za-z0-9]{24}|[0-9a-f]{36})(?![A-Za-z0-9])")
_KNOWN: set[str] = set()  # every key that this process has seen, so that what it tells can be searched for them
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_FORMS = (
    'one of { env = "NAME" }, { file = "path" }, { command = ["..."] }, { credential = "name" }, { keyring = "name" }'
)


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Where a key is to be had. Neither `str` nor `repr` shows it; `resolve` fetches it.

    kind: one of KINDS, or `plain`: then `value` is the key itself.  value: of a command its words, else one text.
    """

    kind: str
    value: str | Sequence[str]

    def __repr__(self) -> str:
        return f"Secret({self.kind})" if self.kind in {"plain", "command"} else f"Secret({self.kind}={self.value!r})"

    def __hash__(self) -> int:
        return hash((self.kind, str(self.value)))

    @property
    def plain(self) -> bool:
        """Whether the key itself stands in the config."""
        return self.kind == "plain"


def looks_like_key(text: str) -> bool:
    """Whether a text holds what has the shape of a service's key: it is shown nowhere, whatever option it stands in."""
    return bool(_KEY_ITSELF.search(text))


def parse_secret(value: Any) -> Secret:
    """What the config says of a key: a table with one of KINDS, or the key itself. Raises ValueError, which shows no value."""
    if isinstance(value, Secret):
        return value
    if isinstance(value, str) and value.strip():
        _KNOWN.add(value.strip())
        return Secret("plain", value.strip())
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in KINDS:
        raise ValueError(f"{_FORMS} is needed")
    kind, content = next(iter(value.items()))
    words = content if kind == "command" and isinstance(content, list) else [content]
    if (kind == "command") != isinstance(content, list) or not words or not all(map(_is_text, words)):
        raise ValueError(f"{_FORMS} is needed")
    if kind != "file" and any(map(_KEY_ITSELF.fullmatch, words)):
        raise ValueError(f"{kind} says where the key is to be had; this looks like the key itself")
    if kind == "env" and not _VARIABLE.fullmatch(content):
        raise ValueError("env: the name of a variable is needed: letters, digits and _")
    if kind == "credential" and "/" in content:
        raise ValueError("credential: the name that LoadCredential gives it is needed, not a path")
    return Secret(kind, tuple(words) if kind == "command" else content)


def known() -> frozenset[str]:
    """Every key that this process has fetched or read so far: none of them may be told."""
    return frozenset(_KNOWN)


def resolve(secret: Secret | None, environ: Mapping[str, str] | None = None, *, word: bool = True) -> str:
    """The key itself. Raises CredentialFault, which says what to do and never shows the key.

    word: whether it has to be one word of ASCII, as the keys of services are; a password may be anything on one line.
    """
    if secret is None:
        raise CredentialFault('no api_key is set; write api_key = { env = "NAME" } or one of file, command, credential')
    key = _FETCH[secret.kind](secret.value, os.environ if environ is None else environ).strip()
    if not key:
        raise CredentialFault(f"{_place(secret)} is empty; put the key there")
    _KNOWN.add(key)
    if not re.fullmatch(r"[!-~]+" if word else r"[^\r\n\0]+", key):
        raise CredentialFault(f"{_place(secret)} holds no key: a key is one word of letters and digits")
    return key


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


def _place(secret: Secret) -> str:
    """A key's place in words."""
    if secret.kind == "command":
        return f"what the command {secret.value[0]!r} prints"
    return "api_key" if secret.plain else f"{_PLACES[secret.kind]} {secret.value}"


_PLACES = {
    "env": "the environment variable",
    "file": "the key file",
    "credential": "the systemd credential",
    "keyring": "the keyring's entry zotdrop,",
}


def _env(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise CredentialFault(f"the environment variable {name} is not set; set it to the key")
    return environ[name]


def _file(path: str, _: Mapping[str, str]) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise CredentialFault(
            f"{path}: the key file cannot be read ({_why(fault)}); put the key there, for this user to read"
        ) from None


def _command(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """The first line that a command prints. It gets no standard input: that may be a drop."""
    name = command[0]
    try:
        done = subprocess.run(  # noqa: S603  # the owner's own config names the command
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
            env=dict(environ),
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise CredentialFault(
            f"the command {name!r} that gives the key cannot be run ({_why(fault)}); try it by hand"
        ) from None
    if done.returncode:
        raise CredentialFault(f"the command {name!r} that gives the key ended with {done.returncode}; try it by hand")
    return done.stdout.decode("utf-8", "replace").strip().partition("\n")[0]


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
        from keyring.errors import KeyringError
    except ImportError:
        raise CredentialFault("keyring is not installed; install zotdrop[keyring], or use env or file") from None
    try:
        key = keyring.get_password("zotdrop", name)
    except KeyringError as fault:
        raise CredentialFault(
            f"the keyring cannot be asked ({type(fault).__name__}); unlock it, or use env or file"
        ) from None
    if key is None:
        raise CredentialFault(f"the keyring has no entry zotdrop, {name}; make it with: keyring set zotdrop {name}")
    return str(key)


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
