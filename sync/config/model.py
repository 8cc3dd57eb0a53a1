"""Types of options that several sections have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from sync.cron import seconds
from sync.secrets import Secret, parse_secret

Key = Annotated[Secret, BeforeValidator(parse_secret), PlainSerializer(repr)]
Duration = Annotated[float, BeforeValidator(seconds)]
