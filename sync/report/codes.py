"""What each code of a problem, and of a reason, means, and what to do about it: a table that a person can review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_NOTHING = "Nothing has to be done."
_LOOK = "Look at the record with zotdrop show, and mend the item in Zotero where it is wrong."
_EXPORT = "Export the references again if values are missing."
_REVIEW = "Decide with zotdrop review list, accept and reject."
_ATTACH = "Attach the file in Zotero; the item was made without it."
_FILES_LATER = "The items are written; each run tries the files again."


@dataclass(frozen=True, slots=True)
class Explained:
    """A code in two sentences: what it means, and what to do."""

    code: str
    means: str
    do: str


# Problems of reading: the file, its lines, its values.
_READING = {
    "address-runs": ("An address is a script or a local file; it is kept in the ledger, and the library does not get it.", _NOTHING),
    "addresses-joined": ("Several addresses stood in one value; the item has the first, the others are kept in the ledger.", _NOTHING),
    "blank-inside": ("An empty line stood inside a reference; what follows it was taken to belong to it.", _NOTHING),
    "cut-off": ("The file ends inside this record.", "Export again: the rest is missing."),
    "empty": ("Nothing but its type is said of the reference; no item is made of it.", _EXPORT),
    "encoding-guessed": ("The file does not say how it is encoded; its letters tell the likeliest encoding.", "If accents are wrong, name the encoding with [inbox.X] encoding."),
    "encoding-mixed": ("The record is in another encoding than the rest of the file, and was read in its own.", _LOOK),
    "end-missing": ("The reference has no end mark (ER); it ends where the next begins.", _NOTHING),
    "end-with-text": ("Text stands behind the end mark of the reference; it is kept in the ledger.", _NOTHING),
    "field-unreadable": ("A field of the JSON is of a kind that cannot be read, and was left out.", _LOOK),
    "group-author": ("A group is named apart from the authors; it became their last.", _NOTHING),
    "identifier-in-address": ("An address held a DOI; it became the item's.", _NOTHING),
    "issue-odd": ("M1 does not look like an issue's number; the item does not get it.", _NOTHING),
    "json-damaged": ("The JSON breaks off or is damaged here.", "Export again: what stands behind cannot be read."),
    "json-no-work": ("This part of the JSON is no work of Crossref's.", _EXPORT),
    "line-breaks-lost": ("Several values stood in one line; they were told apart by their tags.", _LOOK),
    "mojibake": ("Letters had been garbled by a wrong encoding, and were mended as far as they could be.", _LOOK),
    "name-undivided": ("A name had no comma; it was divided before or after its initials.", _LOOK),
    "names-joined": ("Several names stood in one value; each is a person of the item now.", _NOTHING),
    "issn-odd": ("The ISSN was written oddly; the item has it plainly.", _NOTHING),
    "pages-odd": ("The pages were written oddly; the item has them plainly.", _NOTHING),
    "placeholder": ("A value said only that there is none (NA, n/a); the item does not get it.", _NOTHING),
    "pmid-odd": ("What stands as PMID is no PMID.", _LOOK),
    "repair-doubtful": ("The record could be read only by guessing, and no item was made of it.", _REVIEW),
    "start-missing": ("The reference does not begin as its format wants it; it was read all the same.", _NOTHING),
    "tag-shape": ("A tag is not written as RIS wants it (TY  - ); it was taken for one.", _NOTHING),
    "tag-unknown": ("A tag has no place in an item of this type; its value is kept in the ledger.", 'unmapped = "note" puts such values into a note.'),
    "tags-after-end": ("Tags stand behind the end mark of the reference; they were taken to belong to it.", _LOOK),
    "title-missing": ("The record has no title; nobody will find it in the library.", _LOOK),
    "too-long": ("The reference is longer than any real one; it ends here and the rest is kept as text.", "Look whether the file is whole."),
    "type-late": ("The type does not stand first in the reference.", _NOTHING),
    "type-missing": ("The reference says no type; it was read as a journal article.", _LOOK),
    "type-unknown": ("The type of the reference is not known; the likeliest was taken.", _LOOK),
    "value-twice": ("A value stands twice where one is possible; the first counts, the other is kept in the ledger.", _NOTHING),
    "values-glued": ("Values had lost the line break between them; they were told apart by their tags.", _LOOK),
    "xml-damaged": ("The XML breaks off or is damaged here.", "Export again: what stands behind cannot be read."),
}  # fmt: skip

# Problems that the sources show.
_SOURCES = {
    "corrected": ("A correction of the work was published; the item has a tag and a note.", "Read the notice that the note links to."),
    "doi-elsewhere": ("The DOI is registered with another agency than Crossref, which cannot tell of it.", _NOTHING),
    "doi-unknown": ("No registration agency knows the DOI.", "Mend the DOI in Zotero if it is wrong."),
    "expression-of-concern": ("An expression of concern about the work was published.", "Read the notice that the note links to."),
    "identifier-likely": ("A source has a work that is likely this one, and not surely; its values were not used.", "If it is the work, give the item that DOI; zotdrop refresh then fills it."),
    "partly-retracted": ("Parts of the work were retracted.", "Read the notice that the note links to before you use the work."),
    "preprint-published": ("The work is a preprint of which the article was published.", "Look whether the article is in the library."),
    "retracted": ("The work was retracted.", "Read the notice that the note links to before you use the work."),
    "retraction-notice": ("The work is itself the notice of a retraction.", _NOTHING),
    "source-contradicts": ("A source knows the identifier as another work; its values were not used.", "Mend the DOI or PMID in Zotero if it is wrong."),
}  # fmt: skip

# Problems with the library and with files.
_LIBRARY = {
    "answer-lost": ("The answer to a change was lost, and somebody has changed the item since; what is not there now counts as taken out.", _LOOK),
    "collection-gone": ("The collection was taken away meanwhile; the item is in the library without it.", "File the item in Zotero if it shall lie in one."),
    "field-in-extra": ("The library does not know the field; its value stands in Extra, where Zotero looks for it.", _NOTHING),
    "field-too-long": ("A value is longer than Zotero takes; the whole of it is a note of the item.", _NOTHING),
    "name-too-long": ("A creator's name is longer than Zotero takes; it is cut, and the whole of it is a note of the item.", _LOOK),
    "tag-too-long": ("A tag is longer than Zotero takes; it was parted, or is a line in a note of the item.", _NOTHING),
    "text-left-out": ("A long text had no place in an item that zotdrop did not make; it stays in the ledger.", _NOTHING),
    "type-in-extra": ("The library does not know the item type; the item is a document, and Extra names the type.", _NOTHING),
    "file-changed": ("Other bytes lie at the file's place than when it was found.", _ATTACH),
    "file-hidden": ("The file is hidden (a name with a dot before it); such files are not taken.", _ATTACH),
    "file-missing": ("No such file lies beside the drop.", _ATTACH),
    "file-no-right": ("The API key may not upload files.", f"Give it file access, in a group let members edit files. {_FILES_LATER}"),
    "file-not-taken": ("No files can be uploaded to this library.", _ATTACH),
    "file-odd": ("What lies at the file's place is no file.", _ATTACH),
    "file-outside": ("The file lies outside the inbox; only what is inside is taken.", _ATTACH),
    "file-quota": ("The library has no room for more files.", f"Make room, in a group its owner. {_FILES_LATER}"),
    "file-theirs": ("The attachment has another file by now, which stays.", _NOTHING),
    "file-too-large": ("The file is larger than attachment_max_mb allows.", _ATTACH),
    "file-unreadable": ("The file cannot be read.", f"Mend its rights. {_ATTACH}"),
    "file-waits": ("The file store was away.", _FILES_LATER),
    "original-gone": ("The original text of the record is not kept any more, so that it could not be attached.", _NOTHING),
    "original-too-long": ("The original text is longer than a note may be, and the library takes no files; it stays in the ledger.", _NOTHING),
    "twice-in-library": ("The library holds the work more than once; the oldest item was taken.", "Merge the items in Zotero."),
}  # fmt: skip

# Why a record ended as it did.
_REASONS = {
    "decided": ("A person decided this.", _NOTHING),
    "deleted-by-person": ("A person deleted the item; it is not made again.", "zotdrop sync --restore makes it again."),
    "edited-since": ("The item is recognised by what zotdrop wrote; somebody has changed it since.", _NOTHING),
    "in-library": ("The library holds all that the record says.", _NOTHING),
    "in-trash": ("The item lies in the trash; it stays there.", "Restore it in Zotero, or say zotdrop sync --restore."),
    "left-out-by-person": ("A person said that the record was read wrongly; it is left out.", _NOTHING),
    "limit-changes": ("The limit max_changes_per_run is reached: changes to items that zotdrop did not make are asked.", _REVIEW),
    "not-in-library": ("The ledger was made again, and no item of the library is this record's.", "Drop the file again to bring it in."),
    "merged-in-zotero": ("The item was merged into this one in Zotero.", _NOTHING),
    "restored": ("The item was brought back from the trash.", _NOTHING),
    "same-drop": ("The same file was worked off before.", _NOTHING),
    "same-entry": ("The item was made of this very record before.", _NOTHING),
    "source-away": ("A source is away, and the record waits for it.", "The running service or the next sync goes on."),
    "tried-again": ("The record is decided anew because zotdrop retry was said.", "The next run carries it out if it was cut off."),
    "undone": ("A run that was taken back had brought the record.", "Drop the file again to bring it back."),
}  # fmt: skip

_SAME, _ASKED, _APART = "Both were taken for the same work", "A person is asked", "They are not the same work"
# Why two records were taken for one work, for two, or asked about.
_MATCHES = {
    "abstract": f"The abstracts agree. {_SAME} where all else agrees.",
    "abstract-and-title": f"Abstract, volume, journal and people agree, and a database left out the subtitle and the pages. {_SAME}.",
    "ahead-of-print": f"One has no place yet and the other got it in that year or the next; title, journal and all people agree. {_SAME}.",
    "all-but-identifier": f"Everything agrees but an identifier. {_SAME}.",
    "author-differs": f"Another author stands first. {_APART}.",
    "chapter": f"It may be a chapter or its book. {_ASKED} where an identifier is shared.",
    "cluster-full": f"Very many records look like this one. {_ASKED}.",
    "cochrane-version": "They are versions of one Cochrane review; [match] cochrane_versions says what becomes of them.",
    "companion": f"One may be a companion of the other. {_ASKED}.",
    "conference": f"One is a meeting's abstract of the other. {_APART}.",
    "doi": "The DOI is the same.",
    "edition": f"They are editions of one book. {_APART}.",
    "identical": f"Every value is the same. {_SAME}.",
    "identifier-and-page": "An identifier and the page agree, though numbers in the titles differ.",
    "identifier-and-place": f"An identifier and the whole place agree. {_SAME}.",
    "identifiers-differ": f"Nearly all agrees but an identifier. {_ASKED}, or they are apart.",
    "isbn": f"The ISBN, the title and the people agree. {_SAME}.",
    "journal-and-title": f"Journal, title, people and year agree. {_SAME}.",
    "journal-unknown": f"One of them names no journal. {_ASKED}.",
    "meeting": f"They are abstracts of meetings with one title and the same people. {_SAME}, or a person is asked.",
    "no-page": f"Title, people and journal agree, but one of them has no pages. {_ASKED}.",
    "not-enough": f"Too little agrees. {_APART}.",
    "notice": f"One is an erratum, a reply or a retraction of the other. {_APART}.",
    "number-and-title": f"An article number and the title agree. {_SAME}.",
    "numbers-differ": f"Numbers in the titles differ (parts, years). {_APART}.",
    "page-and-journal": f"Page, journal, title and people agree. {_SAME}.",
    "page-and-volume": f"Page, volume, title and people agree. {_SAME}.",
    "page-differs": f"The pages differ. {_ASKED}, or they are apart.",
    "page-near": f"The pages differ as a misprint does, and all else agrees. {_SAME}.",
    "people-differ": f"The people differ. {_ASKED}, or they are apart.",
    "place": "Journal, volume and pages agree.",
    "place-and-people": f"The same people stand at one place. {_SAME}.",
    "place-and-title": f"The title and the whole place agree. {_SAME}.",
    "place-differs": f"Volume or pages differ. {_ASKED}, or they are apart.",
    "places-differ": f"Volume or pages differ. {_ASKED}.",
    "pmid": "The PMID is the same.",
    "preprint": f"One is the preprint of the other. {_APART}.",
    "range-and-abstract": f"The range of pages and the abstract agree. {_SAME}.",
    "range-and-journal": f"The range of pages and the journal agree. {_SAME}.",
    "range-and-title": f"The range of pages and the title agree. {_SAME}.",
    "subtitle-differs": f"The subtitles differ. {_APART}.",
    "supplement": f"One stands in a supplement. {_APART}.",
    "title": f"An identifier and the title agree. {_SAME}.",
    "title-differs": f"The titles differ. {_APART}.",
    "title-differs-place-same": f"They stand at one place under other titles, as a translation does. {_ASKED}.",
    "title-generic": f"Many works have this title. {_ASKED}.",
    "title-unlike": f"An identifier or the place is shared, and the titles are not alike. {_ASKED}.",
    "told-apart": f"A number of their own (of a patent, a trial) tells them apart. {_APART}.",
    "volume-and-title": f"Volume, journal and title agree. {_SAME}.",
    "volume-differs": f"The volumes differ. {_ASKED}.",
    "wording-differs": f"A word of one title resembles that of the other, or is missing there, and neither abstract nor place makes one work of them. {_ASKED}.",
    "words-differ": f"A word says otherwise in one title. {_ASKED}, or they are apart.",
    "year-differs": f"The years differ. {_ASKED}, or they are apart.",
}  # fmt: skip
_OF_MATCHES = "Where a person is asked: zotdrop review list; an item that was joined wrongly: zotdrop undo RUN."

# Codes that end in something of their own: a status, a key, a number.
_BEGINNINGS = {
    "attachment-refused-": ("The library refuses the attachment, with this status; the item is written.", "Read what it says, then zotdrop retry."),
    "file-refused-": ("The library does not take the file, with this status.", _ATTACH),
    "item-refused-": ("The library refuses the item, with this status.", "Read what it says, mend that, then zotdrop retry."),
    "item:": ("The item in question.", "Where a person is asked: zotdrop review list."),
    "note-refused-": ("The library refuses a note, with this status; the item is written.", _LOOK),
    "record:": ("The record at this place of the same drop is the other one.", "Where a person is asked: zotdrop review list."),
    "refused-": ("The library refused the item of the record, with this status.", "Read what it says, mend that, then zotdrop retry."),
}  # fmt: skip

CODES: Mapping[str, Explained] = {
    code: Explained(code, *told)
    for code, told in sorted(
        {
            **{code: (means, _OF_MATCHES) for code, means in _MATCHES.items()},
            **_READING,
            **_SOURCES,
            **_LIBRARY,
            **_REASONS,
        }.items()
    )
}


def explained(code: str) -> Explained | None:
    """What a code means; None for one that zotdrop does not use."""
    if code in CODES:
        return CODES[code]
    found = next((told for beginning, told in _BEGINNINGS.items() if code.startswith(beginning)), None)
    return Explained(code, *found) if found else None
