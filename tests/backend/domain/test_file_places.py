"""Places in files are read from the addresses that are made of them, and from no others."""

import pytest

from cartrita.domain.file_places import FilePlace, cited_place
from cartrita.domain.messages import Citation

FILE = "file_" + "0a" * 16


@pytest.mark.parametrize(
    ("place", "title", "anchor"),
    [
        (FilePlace(FILE, "a.pdf", 3, 2), "a.pdf, page 3, passage 2", "#page=3&passage=2"),
        (FilePlace(FILE, "b, page 3", 3), "b, page 3, page 3", "#page=3"),
        (FilePlace(FILE, "c"), "c", ""),
    ],
)
def test_an_address_says_what_it_was_made_of(place: FilePlace, title: str, anchor: str) -> None:
    assert (place.title, place.url) == (title, f"/api/files/{FILE}/content{anchor}")
    assert cited_place(Citation(place.title, place.url)) == place


@pytest.mark.parametrize(
    "url",
    [None, f"https://a/api/files/{FILE}/content", f"/api/files/{FILE}", "/api/files/x/content"],
)
def test_other_addresses_are_no_places(url: str | None) -> None:
    assert cited_place(Citation("a", url)) is None
