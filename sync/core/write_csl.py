"""Items of a library as CSL-JSON, which citation programs (pandoc, citeproc) read. Pure.

Types, fields and roles: https://docs.citationstyles.org/en/stable/specification.html, appendices III and IV; of the several that fit
the ones by which Zotero itself cites.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sync.core import schema
from sync.core.items import identifiers_of

_TYPES = {
    "artwork": "graphic", "audioRecording": "song", "bill": "bill", "blogPost": "post-weblog", "book": "book",
    "bookSection": "chapter", "case": "legal_case", "computerProgram": "software", "conferencePaper": "paper-conference",
    "dataset": "dataset", "dictionaryEntry": "entry-dictionary", "document": "document", "email": "personal_communication",
    "encyclopediaArticle": "entry-encyclopedia", "film": "motion_picture", "forumPost": "post", "hearing": "hearing",
    "instantMessage": "personal_communication", "interview": "interview", "journalArticle": "article-journal",
    "letter": "personal_communication", "magazineArticle": "article-magazine", "manuscript": "manuscript", "map": "map",
    "newspaperArticle": "article-newspaper", "patent": "patent", "podcast": "broadcast", "preprint": "article",
    "presentation": "speech", "radioBroadcast": "broadcast", "report": "report", "standard": "standard", "statute": "legislation",
    "thesis": "thesis", "tvBroadcast": "broadcast", "videoRecording": "motion_picture", "webpage": "webpage",
}  # fmt: skip
# Base fields of Zotero, each with its variable; of two fields with one variable the first that has a value counts.
_FIELDS = (
    "title=title abstractNote=abstract publicationTitle=container-title code=container-title reporter=container-title"
    " journalAbbreviation=container-title-short volume=volume codeNumber=volume issue=issue pages=page"
    " series=collection-title seriesTitle=collection-title seriesNumber=collection-number edition=edition"
    " numberOfVolumes=number-of-volumes numPages=number-of-pages number=number publisher=publisher place=publisher-place"
    " conferenceName=event-title meetingName=event-title type=genre medium=medium artworkSize=dimensions runningTime=dimensions"
    " scale=scale section=section committee=section authority=authority history=references"
    " references=references status=status versionNumber=version archive=archive archiveLocation=archive_location"
    " libraryCatalog=source callNumber=call-number language=language shortTitle=title-short url=URL DOI=DOI ISSN=ISSN ISBN=ISBN"
    " extra=note"
)
_VARIABLES = [pair.split("=") for pair in _FIELDS.split()]
_ROLES = {
    "editor": "editor", "translator": "translator", "seriesEditor": "collection-editor", "bookAuthor": "container-author",
    "composer": "composer", "director": "director", "interviewer": "interviewer", "recipient": "recipient",
    "reviewedAuthor": "reviewed-author", "contributor": "contributor", "producer": "producer", "scriptwriter": "script-writer",
    "guest": "guest", "castMember": "performer",
}  # fmt: skip
_DATES = {"date": "issued", "accessDate": "accessed", "filingDate": "submitted", "originalDate": "original-date"}
_DAY = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T.*)?$")


def as_csl(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of Zotero's API as an object of CSL-JSON, under its key."""
    kind = item["itemType"]
    told: dict[str, Any] = {"id": item["key"], "type": _TYPES.get(kind, "document")}
    for name, variable in _VARIABLES:
        value = item.get(schema.own_field(kind, name) or name)
        if value:
            told.setdefault(variable, value)
    fields = {name: value for name, value in item.items() if isinstance(value, str)}
    told |= {name: number for name, number in identifiers_of(fields).items() if name != "DOI" or "DOI" not in told}
    told |= dict(_dates(item))
    keywords = ", ".join(tag["tag"] for tag in item.get("tags", ()))
    told |= {"keyword": keywords} if keywords else {}
    for person in item.get("creators", ()):
        told.setdefault(_role(kind, person["creatorType"]), []).append(_name(person))
    return told


def _role(kind: str, role: str) -> str:
    """The main people of a type are its authors to a citation, whatever they are called."""
    return "author" if role in {"author", schema.primary_creator(kind)} else _ROLES.get(role, "contributor")


def _name(person: Mapping[str, str]) -> dict[str, str]:
    if person.get("name"):
        return {"literal": person["name"]}
    parts = {"family": person.get("lastName", ""), "given": person.get("firstName", "")}
    return {name: value for name, value in parts.items() if value}


def _dates(item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, variable in _DATES.items():
        value = item.get(schema.own_field(item["itemType"], name) or name)
        if value:
            found = _DAY.match(value)
            parts = [int(part) for part in found.groups() if part] if found else []
            yield variable, {"date-parts": [parts]} if parts else {"raw": value}
