"""Every key of a config, wherever it stands: nothing that is done for keys needs a list of the sections that have some."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from sync.secrets import Secret

T = TypeVar("T")

ADDRESSES = frozenset({"url", "idconv_url"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A key and where it stands. section: its names from the outside in.  owner: the section itself."""

    section: tuple[str, ...]
    name: str
    secret: Secret
    owner: BaseModel

    @property
    def where(self) -> str:
        """`[library.main] api_key`."""
        return f"[{'.'.join(self.section)}] {self.name}"

    @property
    def is_address(self) -> bool:
        """Whether it is an address that works like a key."""
        return self.name in ADDRESSES


def keys_of(value: Any, place: tuple[str, ...] = ()) -> Iterator[Placed]:
    """The keys in a section (a whole config too) and in the sections inside it."""
    inner = value.items() if isinstance(value, dict) else _options(value) if isinstance(value, BaseModel) else ()
    for name, one in inner:
        if isinstance(one, Secret):
            yield Placed(place, name, one, value)
        else:
            yield from keys_of(one, (*place, name))


def with_keys(value: T, change: Callable[[Secret], Secret]) -> T:
    """The same section with every key in it, and in the sections inside it, as `change` gives it."""
    if isinstance(value, Secret):
        return change(value)  # type: ignore[return-value]  # a key for a key
    if isinstance(value, dict):
        return {name: with_keys(one, change) for name, one in value.items()}  # type: ignore[return-value]
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: with_keys(one, change) for name, one in _options(value)})
    return value


def _options(section: BaseModel) -> Iterator[tuple[str, Any]]:
    return ((name, getattr(section, name)) for name in type(section).model_fields)
