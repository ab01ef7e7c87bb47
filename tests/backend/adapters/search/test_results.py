"""Results have one form, whatever an engine sends."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.adapters.search.results import moment, plain, results_of, web_address
from cartrita.domain.json import JsonObject

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["url", "title", "c"]), inner),
)


@examples
@given(items=st.lists(_JSON) | _JSON)
def test_anything_is_read(items: object) -> None:
    found = results_of(items, 3, content="c", date="title", score="c", marked_up=True)  # pyright: ignore[reportArgumentType]
    assert len(found) <= 3
    assert all(0 <= one.score <= 1 for one in found)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "//example.com",
        "http://",
        "http://[",
        "https://example.com/\0",
        "https://example.com/" + "x" * 2048,
        7,
        None,
    ],
)
def test_what_is_no_address_of_the_web(url: str | int | None) -> None:
    assert web_address(url) is None


def test_texts_are_one_line_without_tags() -> None:
    text = " <b class='x'>Moss</b>\n &amp; <em>fern</em>: 1 &lt; 2 <3 \ud83c "
    assert plain(text, 100, marked_up=True) == "Moss & fern: 1 < 2 <3 \ufffd"
    assert plain("a b " * 20, 10) == "a b a b a…"
    assert plain(7, 10) == ""


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T08:00:00Z", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 10:15:00 GMT", datetime(2026, 11, 23, 10, 15, tzinfo=UTC)),
        ("3 days ago", None),
        ("", None),
        (7, None),
        ("Mon, 1 Jan 99999999999999999999 00:00:00 +0000", None),
    ],
)
def test_moments(told: str | int, meant: datetime | None) -> None:
    assert moment(told) == meant


@pytest.mark.parametrize(
    ("told", "meant"),
    [(10**400, 1.0), (-(10**400), 0.0), (0.5, 0.5)],
    ids=["long", "below", "usual"],
)
def test_scores_of_any_length(told: float, meant: float) -> None:
    item: JsonObject = {"url": "https://example.com", "score": told}
    (one,) = results_of([item], 3, content="c", date="d", score="score")
    assert one.score == meant


def test_a_result_without_a_title_is_called_by_its_address() -> None:
    (one,) = results_of([{"url": "https://example.com"}], 3, content="c", date="d")
    assert (one.title, one.content, one.score) == ("https://example.com", "", 1.0)
