"""Keys that come out the same whenever the same entry is read again."""

from __future__ import annotations

from sync.core.keys import ALPHABET, LENGTH, attachment_key, derived_key, entry_key, note_key


def test_a_key_has_eight_letters_of_zoteros_alphabet() -> None:
    keys = [entry_key("zotero:users/1", "ab" * 32, anchor) for anchor in range(500)]
    assert {len(key) for key in keys} == {LENGTH}
    assert set("".join(keys)) == set(ALPHABET)
    assert len(set(keys)) == 500


def test_a_key_depends_on_library_drop_place_and_salt_and_on_nothing_else() -> None:
    plain = entry_key("zotero:users/1", "ab", 10)
    assert plain == entry_key("zotero:users/1", "ab", 10)
    others = [("zotero:users/2", "ab", 10, 0), ("zotero:users/1", "cd", 10, 0), ("zotero:users/1", "ab", 11, 0)]
    assert plain not in {entry_key(*parts) for parts in [*others, ("zotero:users/1", "ab", 10, 1)]}


def test_keys_stay_what_they_were_in_earlier_versions() -> None:
    assert entry_key("zotero:users/1", "ab", 10) == "5AEQ6LFU"
    assert note_key("ABCD2345", 1) == "DGYLYFHG"
    assert attachment_key("ABCD2345", "files/12/Moss.pdf") == "JKBN5E7Z"


def test_parts_do_not_run_into_each_other() -> None:
    assert derived_key("a", "bc") != derived_key("ab", "c")
