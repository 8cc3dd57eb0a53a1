"""The shapes of Crossref's answers: works, registration agencies, refusals; as far as they are read.

Field names: https://github.com/CrossRef/rest-api-doc and recorded answers of 2022 to 2026. A member whose shape is not known is left out,
and the rest of the work is read all the same.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Texts: TypeAlias = list[str | None] | str | None  # CSL's variant of the same names has a text where Crossref has a list


class Date(msgspec.Struct):
    """A partial date: `{"date-parts": [[2024, 5]]}`; parts may be null."""

    date_parts: list[list[int | str | None]] = msgspec.field(name="date-parts", default_factory=list)


class Person(msgspec.Struct):
    """A contributor: family and given name, or the name of a group."""

    family: str | None = None
    given: str | None = None
    name: str | None = None
    suffix: str | None = None
    ORCID: str | None = None


class Body(msgspec.Struct):
    """An institution or a standards body."""

    name: str | None = None
    place: Texts = None


class Event(msgspec.Struct):
    """The conference of a paper."""

    name: str | None = None
    location: str | None = None


class Link(msgspec.Struct):
    """An address."""

    URL: str | None = None


class Resource(msgspec.Struct):
    """Where a work is shown."""

    primary: Link | None = None


class Update(msgspec.Struct):
    """A notice about a work."""

    DOI: str | None = None
    type: str | None = None
    updated: Date | None = None


class Related(msgspec.Struct):
    """The other end of a relation."""

    id: str | None = None
    id_type: str | None = msgspec.field(name="id-type", default=None)


class Work(msgspec.Struct, rename="kebab"):
    """What is read of a work; its references, which are most of it, are skipped."""

    DOI: str | None = msgspec.field(name="DOI", default=None)
    type: str | None = None
    subtype: str | None = None
    title: Texts = None
    subtitle: Texts = None
    container_title: Texts = None
    short_container_title: Texts = None
    abstract: str | None = None
    publisher: str | None = None
    publisher_location: str | None = None
    volume: str | None = None
    issue: str | None = None
    page: str | None = None
    article_number: str | None = None
    edition_number: str | None = None
    language: str | None = None
    group_title: str | None = None
    degree: Texts = None
    description: str | None = None
    ISSN: Texts = msgspec.field(name="ISSN", default=None)
    ISBN: Texts = msgspec.field(name="ISBN", default=None)
    aliases: Texts = None
    author: list[Person] | None = None
    editor: list[Person] | None = None
    chair: list[Person] | None = None
    translator: list[Person] | None = None
    published_print: Date | None = None
    issued: Date | None = None
    approved: Date | None = None
    event: Event | None = None
    institution: list[Body] | Body | None = None
    license: list[Link] | None = None
    resource: Resource | None = None
    relation: dict[str, list[Related]] | None = None
    updated_by: list[Update] | None = None
    update_to: list[Update] | None = None


def decode(data: bytes | str) -> tuple[Work, ...]:
    """The works of an answer, one or a list. Raises ValueError if it is no answer of Crossref."""
    try:
        answer = msgspec.json.decode(data, type=_Answer)
        message = msgspec.json.decode(answer.message, type=_List)
        raws = [answer.message] if message.items is None else message.items
        return tuple(_work(bytes(raw)) for raw in raws)
    except msgspec.MsgspecError as fault:
        raise ValueError(f"no answer of Crossref: {fault}") from None


def agency(data: bytes) -> str:
    """Who registered a DOI, in small letters, out of a `work-agency` answer; empty where that is none."""
    try:
        return msgspec.json.decode(data, type=_AgencyAnswer).message.agency.id.casefold()
    except msgspec.MsgspecError:
        return ""


def is_refusal(data: bytes) -> bool:
    """Whether an answer is the validator's: it says what is wrong with the question."""
    try:
        return msgspec.json.decode(data, type=_Refusal).message_type == "validation-failure"
    except msgspec.MsgspecError:
        return False


class _Answer(msgspec.Struct):
    message: msgspec.Raw


class _Refusal(msgspec.Struct, rename="kebab"):
    message_type: str = ""


class _Agency(msgspec.Struct):
    id: str = ""


class _AgencyMessage(msgspec.Struct):
    agency: _Agency


class _AgencyAnswer(msgspec.Struct):
    message: _AgencyMessage


class _List(msgspec.Struct):
    items: list[msgspec.Raw] | None = None


def _work(raw: bytes) -> Work:
    return sound(raw)[0]


def sound(raw: bytes) -> tuple[Work, list[str]]:
    """A work, and the names of fields that have another shape than ours: they are left out, the others are read."""
    try:
        return msgspec.json.decode(raw, type=Work), []
    except msgspec.ValidationError:
        parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    bad = [name for name, value in parts.items() if not _fits(name, value)]
    good = {name: value for name, value in parts.items() if name not in bad}
    return msgspec.json.decode(msgspec.json.encode(good), type=Work), bad


def _fits(name: str, value: msgspec.Raw) -> bool:
    try:
        msgspec.json.decode(msgspec.json.encode({name: value}), type=Work)
    except msgspec.ValidationError:
        return False
    return True
