"""What every section of the config is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, PlainSerializer

from sync.cron import seconds
from sync.secrets import Secret, parse_secret

Key = Annotated[Secret, BeforeValidator(parse_secret), PlainSerializer(repr)]
Duration = Annotated[float, BeforeValidator(seconds)]


# Of every section: nothing that it does not know, nothing of another type, nothing changed later.
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, hide_input_in_errors=True)
