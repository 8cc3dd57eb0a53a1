"""The options of what zotdrop says of itself: its log, its health over HTTP, its notices."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from sync.config import checks
from sync.config.model import Duration, Key
from sync.secrets import parse_secret

Event = Literal["failed", "held", "questions", "retraction", "stopped", "away", "disk", "recovered"]
EVENTS: tuple[str, ...] = get_args(Event)


def _address(value: Any) -> Any:
    """An address that may be a key itself (who knows a webhook's may post there): checked here where it stands in the config."""
    secret = parse_secret(value)
    if secret.plain:
        checks.posting(str(secret.value))
    return secret


KeyAddress = Annotated[Key, BeforeValidator(_address)]
Mailbox = Annotated[str, AfterValidator(checks.mailbox)]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )


class Log(_Model):
    """What is told on stderr, and how."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Health(_Model):
    """Where the service tells how it is; nowhere if `listen` is empty."""

    listen: Annotated[str, AfterValidator(checks.listen)] = ""
    anywhere: bool = False
    hosts: list[Annotated[str, Field(min_length=1)]] = []


class Webhook(_Model):
    """A program that is told by POST."""

    url: KeyAddress
    secret: Key | None = None


class Ntfy(_Model):
    """A topic of ntfy.sh, or of a server of its kind."""

    url: KeyAddress
    token: Key | None = None


class Mail(_Model):
    """Letters through an SMTP server."""

    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: Key | None = None
    sender: Mailbox
    to: Annotated[list[Mailbox], Field(min_length=1)]


class Command(_Model):
    """A program that is started, with the notice as JSON on its standard input. No shell."""

    argv: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    seconds: float = Field(30.0, gt=0, le=600)


class Notify(_Model):
    """Who is told what, and how often."""

    events: Annotated[list[Event], AfterValidator(checks.once)] = list(get_args(Event))
    after: int = Field(3, ge=1)
    every: Duration = 900.0
    webhook: Webhook | None = None
    ntfy: Ntfy | None = None
    mail: Mail | None = None
    command: Command | None = None
