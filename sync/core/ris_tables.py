"""Where each RIS type and tag goes in Zotero's schema: tables that a librarian can review.

Sources: the RIS specifications of 2001 and 2011, and what Zotero's own RIS import makes of each type and tag. A target is a
field (base fields are resolved to the type's own), `@role` for a creator, or one of the words that `ris_fields` acts on:
`!title` and so on. `*` stands for every type that is not named.
"""

from __future__ import annotations

from collections.abc import Mapping

ITEM_TYPES: Mapping[str, str] = {
    "ABST": "journalArticle", "ADVS": "film", "AGGR": "document", "ANCIENT": "document", "ART": "artwork", "BILL": "bill",
    "BLOG": "blogPost", "BOOK": "book", "CASE": "case", "CHAP": "bookSection", "CHART": "artwork", "CLSWK": "book",
    "COMP": "computerProgram", "CONF": "conferencePaper", "CPAPER": "conferencePaper", "CTLG": "magazineArticle",
    "DATA": "dataset", "DBASE": "dataset", "DICT": "dictionaryEntry", "EBOOK": "book", "ECHAP": "bookSection",
    "EDBOOK": "book", "EJOUR": "journalArticle", "ELEC": "webpage", "ENCYC": "encyclopediaArticle", "EQUA": "document",
    "FIGURE": "artwork", "GEN": "journalArticle", "GOVDOC": "report", "GRNT": "document",
    "HEAR": "hearing", "ICOMM": "email", "INPR": "manuscript", "JFULL": "journalArticle", "JOUR": "journalArticle",
    "LEGAL": "case", "MANSCPT": "manuscript", "MAP": "map", "MGZN": "magazineArticle", "MPCT": "film",
    "MULTI": "videoRecording", "MUSIC": "audioRecording", "NEWS": "newspaperArticle", "PAMP": "manuscript", "PAT": "patent",
    "PCOMM": "letter", "RPRT": "report", "SER": "book", "SLIDE": "presentation", "SOUND": "audioRecording",
    "STAND": "report", "STAT": "statute", "THES": "thesis", "UNBILL": "manuscript", "UNPD": "manuscript", "VIDEO": "videoRecording", "WEB": "webpage",
}  # fmt: skip

_ARTICLES = "bookSection conferencePaper dictionaryEntry document encyclopediaArticle journalArticle"
_EDITED = f"{_ARTICLES} book report"
_PRIMARY = (
    "@author; film videoRecording=@director; artwork=@artist; audioRecording=@composer; computerProgram=@programmer"
)
_PRIMARY += "; map=@cartographer; patent=@inventor"
_NOTHING = ""

# tag: target for every other type; types=target ...
_FIRST = {
    "A1": _PRIMARY,
    "AU": _PRIMARY,
    "A2": (
        f"{_NOTHING}; {_ARTICLES}=@editor; book report=@seriesEditor; email letter=@recipient; audioRecording=@performer;"
        " bill=@sponsor; case=reporter; patent=issuingAuthority; presentation=@presenter"
    ),
    "A3": (
        f"{_NOTHING}; bookSection conferencePaper dictionaryEntry encyclopediaArticle map=@seriesEditor;"
        " film videoRecording=@producer; bill=@cosponsor; book=@editor; thesis=@contributor"
    ),
    "A4": "@translator; conferencePaper dataset film=@contributor; case=@counsel",
    "AB": "abstractNote",
    "AN": "archiveLocation",
    "C1": f"{_NOTHING}; conferencePaper=place; map=scale; patent=filingDate; videoRecording=@castMember",
    "C2": f"{_NOTHING}; blogPost=@commenter; bookSection=@bookAuthor; patent=!date",
    "C3": f"{_NOTHING}; artwork=artworkSize; conferencePaper=proceedingsTitle; patent=country",
    "C4": f"{_NOTHING}; audioRecording=@wordsBy; film=genre; patent=@attorneyAgent",
    "C5": (
        f"{_NOTHING}; film videoRecording=videoRecordingFormat; audioRecording=audioRecordingFormat; patent=references"
    ),
    "C6": f"{_NOTHING}; patent=legalStatus",
    "CN": "callNumber",
    "DA": "!date",
    "DB": "!database",
    "DO": "!doi",
    "DP": "!database",
    "ET": "edition; bill hearing statute=session; computerProgram dataset=versionNumber",
    "J2": "journalAbbreviation",
    "KW": "!keywords",
    "L1": "!attachment",
    "L2": "!attachment",
    "L4": "!attachment",
    "LA": "language; computerProgram=programmingLanguage",
    "N1": "!note",
    "PB": "publisher; case=court; patent=assignee",
    "PY": "!year",
    "SN": "!number",
    "SP": "!pages",
    "ST": "shortTitle",
    "SV": f"{_NOTHING}; bookSection=seriesNumber; case=docketNumber",
    "TI": "title",
    "UR": "!url",
    "Y2": "!accessed",
    "PMID": "!pmid",
    "PMCID": "!pmcid",
    "DOI": "!doi",
    "ISSN": "!number",
    "ISBN": "!number",
}

# Tags that other tags stand in for: tried only when no tag above has filled the field.
_SECOND = {
    "T1": "title",
    "CT": "title",
    "BT": "!container; book manuscript=title; bookSection=bookTitle",
    "T2": (
        "!container; computerProgram map report=seriesTitle; journalArticle magazineArticle newspaperArticle blogPost"
        " bookSection dictionaryEntry encyclopediaArticle webpage=publicationTitle; bill statute=code; book=series;"
        " conferencePaper=conferenceName; hearing=committee; presentation=meetingName"
    ),
    "T3": (
        f"{_NOTHING}; book bookSection conferencePaper journalArticle=series; bill hearing=legislativeBody;"
        " audioRecording=seriesTitle"
    ),
    "JF": "publicationTitle",
    "JA": "journalAbbreviation",
    "JO": "journalAbbreviation; conferencePaper=conferenceName",
    "N2": "abstractNote",
    "AV": "archiveLocation",
    "CR": "rights",
    "CY": "place",
    "ED": "@editor",
    "EP": "!endpage",
    "H1": "libraryCatalog",
    "H2": "callNumber",
    "IS": "issue; bookSection=numberOfVolumes; dataset=versionNumber",
    "M1": (
        f"{_NOTHING}; bill=billNumber; book=seriesNumber; bookSection=numberOfVolumes; computerProgram=system;"
        " hearing=documentNumber; journalArticle=!issue; patent=applicationNumber; statute=publicLawNumber; webpage=!accessed"
    ),
    "M3": (
        "!doi; blogPost webpage=websiteType; artwork=artworkMedium; letter=letterType; manuscript=manuscriptType; map=mapType;"
        " presentation=presentationType; report=reportType; thesis=thesisType"
    ),
    "NV": "numberOfVolumes; dataset=identifier",
    "OP": f"{_NOTHING}; bill case hearing statute=history; patent=priorityNumbers",
    "RN": "!note",
    "SE": "section",
    "VL": "volume; statute=codeNumber; webpage=!accessed; patent=",
    "Y1": "!date",
    "C7": f"{_NOTHING}; journalArticle=!articlenumber",
    "L3": "!related",
    "LB": _NOTHING,
    "LK": "!url",
}

# Stand-ins for titles come first, in this order; the rest as they stand in the entry.
SECOND_RANK = {"T1": 0, "CT": 1, "T2": 2, "JF": 3, "JA": 4, "JO": 4, "BT": 5}


def _spread(table: Mapping[str, str]) -> dict[str, tuple[str, dict[str, str]]]:
    spread = {}
    for tag, row in table.items():
        default, *exceptions = (part.strip() for part in row.split(";"))
        named = {
            kind: goal.strip()
            for part in exceptions
            for kinds, _, goal in [part.partition("=")]
            for kind in kinds.split()
        }
        spread[tag] = (default, named)
    return spread


_SPREAD = ((_spread(_FIRST), False), (_spread(_SECOND), True))


def target(tag: str, item_type: str) -> tuple[str, bool]:
    """Where a tag goes in a type, and whether only as a stand-in. An empty target: it has no place."""
    for table, stands_in in _SPREAD:
        if tag in table:
            default, named = table[tag]
            return named.get(item_type, default), stands_in
    return "", True
