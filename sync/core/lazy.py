"""A value that is found out when it is first asked for, and kept: for objects that live in one thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 (it reads as `property` does)
    """Like `functools.cached_property`, without the lock that Python 3.11 takes for each value."""

    def __init__(self, find: Callable[[Any], T]) -> None:
        self._find, self._name, self.__doc__ = find, find.__name__, find.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> lazy[T]: ...

    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: Any, kind: type) -> lazy[T] | T:
        if owner is None:
            return self
        value: T = self._find(owner)
        owner.__dict__[self._name] = value
        return value
