"""What an attachment names: an address, or a place beside the drop."""

from __future__ import annotations

import unicodedata

import pytest

from sync.core.attachments import file_item, file_paths, link_item, web_address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("https://press.example/a.pdf", "https://press.example/a.pdf"),
        (" FTP://press.example/a ", "FTP://press.example/a"),
        ("www.press.example/a", "http://www.press.example/a"),
        ("http://", ""),
        ("https://press.example/a b", ""),
        ("javascript:alert(1)", ""),
        ("files/12/www.pdf", ""),
        ("", ""),
    ],
)
def test_an_address_is_told_from_a_path(value: str, address: str) -> None:
    assert web_address(value) == address


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("files/12/Moss.pdf", ("files/12/Moss.pdf",)),
        ("files\\12\\Moss.pdf", ("files\\12\\Moss.pdf", "files/12/Moss.pdf")),
        ("two%20words.pdf", ("two%20words.pdf", "two words.pdf")),
        ("../Moss.pdf", ("../Moss.pdf",)),
        ("internal-pdf://0123/Moss.pdf", ("PDF/0123/Moss.pdf", "0123/Moss.pdf", "Moss.pdf")),
        ("internal-pdf://a%20b.pdf", ("PDF/a%20b.pdf", "a%20b.pdf", "PDF/a b.pdf", "a b.pdf")),
        ("C:\\Data\\12\\Moss.pdf", ("Data/12/Moss.pdf", "12/Moss.pdf", "Moss.pdf")),
        ("\\\\server\\share\\Moss.pdf", ("server/share/Moss.pdf", "share/Moss.pdf", "Moss.pdf")),
        ("/home/ada/Moss.pdf", ("/home/ada/Moss.pdf", "home/ada/Moss.pdf", "ada/Moss.pdf", "Moss.pdf")),
        ("file:///ada/My%20Moss.pdf", ("/ada/My Moss.pdf", "ada/My Moss.pdf", "My Moss.pdf")),
        ("file://localhost/ada/Moss.pdf", ("/ada/Moss.pdf", "ada/Moss.pdf", "Moss.pdf")),
        ("file:///C:/Data/Moss.pdf", ("/C:/Data/Moss.pdf", "Data/Moss.pdf", "Moss.pdf")),
        ("file:Moss.pdf", ("Moss.pdf",)),
        ("file:/ada/Moss.pdf", ("/ada/Moss.pdf", "ada/Moss.pdf", "Moss.pdf")),
    ],
)
def test_a_file_is_looked_for_where_exports_mean_it(value: str, paths: tuple[str, ...]) -> None:
    assert file_paths(value) == paths


@pytest.mark.parametrize(
    "value",
    ["", "https://press.example/a.pdf", "10.5555/walls.1", "javascript:alert(1)", "data:,x", "a\0b.pdf", "x" * 5_000],
)
def test_what_names_no_file_has_no_place(value: str) -> None:
    assert file_paths(value) == ()


def test_accents_are_looked_for_in_both_spellings() -> None:
    apart = unicodedata.normalize("NFD", "Müller.pdf")
    assert set(file_paths("Müller.pdf")) == {"Müller.pdf", apart} == set(file_paths(apart))


def test_items_of_attachments_have_zoteros_properties() -> None:
    link, file = link_item("https://press.example/", "", "ABCD2345"), file_item("a.pdf", "application/pdf", "Full", "P")
    assert (link["linkMode"], link["url"], link["title"]) == ("linked_url", "https://press.example/", link["url"])
    assert (file["linkMode"], file["filename"], file["title"]) == ("imported_file", "a.pdf", "Full")
    assert {link["itemType"], file["itemType"]} == {"attachment"}
    assert (link["parentItem"], file["contentType"]) == ("ABCD2345", "application/pdf")
