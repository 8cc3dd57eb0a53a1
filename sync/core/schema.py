"""Zotero's item types, fields and creator types: schema version 41 (Zotero 8), as a table.

Facts of the public schema (https://github.com/zotero/zotero-schema). `base=own` in a row says that the type carries the base
field `base` under the name `own`; such a type has no field called `base` itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

T = TypeVar("T")

VERSION = 41

# What every regular item has.
_ALL = "abstractNote date language shortTitle DOI citationKey url accessDate rights extra"
# What those have that are kept in archives and catalogues.
_HELD = "archive archiveLocation libraryCatalog callNumber"

_FIELDS = {
    "artwork": f"title medium=artworkMedium artworkSize {_HELD}",
    "audioRecording": (
        f"title medium=audioRecordingFormat seriesTitle volume numberOfVolumes place publisher=label runningTime ISBN {_HELD}"
    ),
    "bill": "title number=billNumber code volume=codeVolume section pages=codePages legislativeBody session history",
    "blogPost": "title publicationTitle=blogTitle type=websiteType",
    "book": (
        "title series seriesNumber volume numberOfVolumes edition place publisher numPages ISBN ISSN medium=format"
        f" originalDate originalPlace originalPublisher {_HELD}"
    ),
    "bookSection": (
        "title publicationTitle=bookTitle series seriesNumber volume numberOfVolumes edition place publisher pages ISBN"
        f" {_HELD}"
    ),
    "case": (
        "title=caseName authority=court date=dateDecided number=docketNumber reporter volume=reporterVolume pages=firstPage"
        " history"
    ),
    "computerProgram": f"title seriesTitle versionNumber system place publisher=company programmingLanguage ISBN {_HELD}",
    "conferencePaper": (
        "title publicationTitle=proceedingsTitle conferenceName place publisher volume issue numberOfVolumes pages series ISBN"
        f" {_HELD}"
    ),
    "dataset": (
        "title number=identifier type versionNumber publisher=repository place=repositoryLocation medium=format" f" {_HELD}"
    ),
    "dictionaryEntry": (
        "title publicationTitle=dictionaryTitle series seriesNumber volume numberOfVolumes edition place publisher pages ISBN"
        f" {_HELD}"
    ),
    "document": f"title type publisher place {_HELD}",
    "email": "title=subject",
    "encyclopediaArticle": (
        "title publicationTitle=encyclopediaTitle series seriesNumber volume numberOfVolumes edition place publisher pages ISBN"
        f" {_HELD}"
    ),
    "film": f"title publisher=distributor place type=genre medium=videoRecordingFormat runningTime {_HELD}",
    "forumPost": "title publicationTitle=forumTitle type=postType",
    "hearing": (
        "title committee place publisher numberOfVolumes number=documentNumber pages authority=legislativeBody session history"
    ),
    "instantMessage": "title",
    "interview": f"title medium=interviewMedium {_HELD}",
    "journalArticle": (
        "title publicationTitle publisher place volume issue section pages series seriesTitle seriesText journalAbbreviation"
        f" ISSN PMID PMCID partNumber partTitle {_HELD}"
    ),
    "letter": f"title type=letterType {_HELD}",
    "magazineArticle": f"title publicationTitle publisher place volume issue pages ISSN {_HELD}",
    "manuscript": f"title type=manuscriptType publisher=institution place numPages {_HELD}",
    "map": f"title type=mapType scale seriesTitle edition place publisher ISBN {_HELD}",
    "newspaperArticle": f"title publicationTitle publisher place volume issue edition section pages ISSN {_HELD}",
    "patent": (
        "title place country assignee authority=issuingAuthority number=patentNumber filingDate priorityDate pages applicationNumber"
        " priorityNumbers date=issueDate references status=legalStatus"
    ),
    "podcast": "title seriesTitle number=episodeNumber medium=audioFileType runningTime",
    "preprint": f"title type=genre publisher=repository number=archiveID place series seriesNumber {_HELD}",
    "presentation": "title type=presentationType place meetingName publicationTitle=sessionTitle",
    "radioBroadcast": (
        f"title publicationTitle=programTitle number=episodeNumber medium=audioRecordingFormat place publisher=network runningTime {_HELD}"
    ),
    "report": f"title number=reportNumber type=reportType seriesTitle place publisher=institution pages {_HELD}",
    "standard": f"title authority=organization committee type number versionNumber status publisher place numPages {_HELD}",
    "statute": "title=nameOfAct code codeNumber number=publicLawNumber date=dateEnacted pages section session history",
    "thesis": f"title type=thesisType publisher=university place numPages ISBN {_HELD}",
    "tvBroadcast": (
        f"title publicationTitle=programTitle number=episodeNumber medium=videoRecordingFormat place publisher=network runningTime {_HELD}"
    ),
    "videoRecording": (
        f"title medium=videoRecordingFormat seriesTitle volume numberOfVolumes place publisher=studio runningTime ISBN {_HELD}"
    ),
    "webpage": "title publicationTitle=websiteTitle type=websiteType publisher place",
}  # fmt: skip

# The main one first.
_CREATORS = {
    "artwork": "artist contributor",
    "audioRecording": "performer contributor composer wordsBy translator",
    "bill": "sponsor cosponsor contributor",
    "blogPost": "author commenter contributor translator",
    "book": "author contributor editor translator seriesEditor",
    "bookSection": "author contributor editor bookAuthor translator seriesEditor",
    "case": "author counsel contributor",
    "computerProgram": "programmer contributor",
    "conferencePaper": "author contributor editor translator seriesEditor",
    "dataset": "author contributor",
    "dictionaryEntry": "author contributor editor translator seriesEditor",
    "document": "author contributor editor translator reviewedAuthor",
    "email": "author contributor recipient translator",
    "encyclopediaArticle": "author contributor editor translator seriesEditor",
    "film": "director contributor scriptwriter producer",
    "forumPost": "author contributor",
    "hearing": "contributor",
    "instantMessage": "author contributor recipient",
    "interview": "interviewee contributor interviewer translator",
    "journalArticle": "author contributor editor translator reviewedAuthor",
    "letter": "author contributor recipient translator",
    "magazineArticle": "author contributor translator reviewedAuthor",
    "manuscript": "author contributor translator",
    "map": "cartographer contributor seriesEditor",
    "newspaperArticle": "author contributor translator reviewedAuthor",
    "patent": "inventor attorneyAgent contributor",
    "podcast": "podcaster contributor guest",
    "preprint": "author contributor editor translator reviewedAuthor",
    "presentation": "presenter contributor translator",
    "radioBroadcast": "director scriptwriter producer castMember contributor guest",
    "report": "author contributor editor translator seriesEditor",
    "standard": "author contributor",
    "statute": "author contributor",
    "thesis": "author contributor",
    "tvBroadcast": "director scriptwriter producer castMember contributor guest",
    "videoRecording": "director scriptwriter producer castMember contributor translator",
    "webpage": "author contributor translator",
}


def _read(row: str) -> tuple[frozenset[str], Mapping[str, str]]:
    """A row of the table: the type's fields, and what it calls the base fields."""
    pairs = [word.partition("=")[::2] for word in f"{row} {_ALL}".split()]
    own = {base: name for base, name in pairs if name}
    return frozenset(own.get(base, base) for base, _ in pairs), MappingProxyType(own)


class _ByType(dict[str, T]):
    """A table by item type."""

    def __missing__(self, item_type: str) -> T:
        raise ValueError(f"Zotero has no item type {item_type!r}")


_TABLE = _ByType({kind: _read(row) for kind, row in _FIELDS.items()})
_KNOWN = _ByType({kind: known for kind, (known, _) in _TABLE.items()})
_BASES = _ByType({kind: {name: base for base, name in own.items()} for kind, (_, own) in _TABLE.items()})
_OWN = _ByType(
    {kind: MappingProxyType({**{name: name for name in known}, **own}) for kind, (known, own) in _TABLE.items()}
)
_ROLES = _ByType({kind: tuple(row.split()) for kind, row in _CREATORS.items()})

ITEM_TYPES = frozenset(_FIELDS)


def fields(item_type: str) -> frozenset[str]:
    """The fields of a type. Raises ValueError for a type that the schema does not know."""
    return _KNOWN[item_type]


def creator_types(item_type: str) -> tuple[str, ...]:
    """The creator types of a type, the main one first. Raises ValueError for an unknown type."""
    return _ROLES[item_type]


def primary_creator(item_type: str) -> str:
    """The main creator type: `author` of an article, `inventor` of a patent."""
    return creator_types(item_type)[0]


def own_field(item_type: str, name: str) -> str | None:
    """The field in which a type keeps `name`: `bookTitle` for a chapter's `publicationTitle`; None if it has none."""
    return _OWN[item_type].get(name)


def own_fields(item_type: str) -> Mapping[str, str]:
    """Every field and base field that a type has, with the field that it keeps it in: what `own_field` says, as a table."""
    return _OWN[item_type]


def base_field(item_type: str, name: str) -> str:
    """What a type's field stands for: `publicationTitle` for a chapter's `bookTitle`; itself if it stands for nothing else."""
    return _BASES[item_type].get(name, name)
