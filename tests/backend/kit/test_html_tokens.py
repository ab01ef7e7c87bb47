"""HTML is cut into tags and texts, whatever is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.kit.html_tokens import EndTag, StartTag, Token, tokens

MARKUP = st.lists(
    st.sampled_from(
        [
            *("<", ">", "</", "/>", "<a", "<p>", '"', "'", "=", "<!--", "-->", "<!", "<?", "&"),
            *("&amp;", "<script>", "</script>", "<title>", "</title", " ", "x", "href", "ä", "\n"),
        ]
    )
).map("".join)


def told(page: str) -> list[str]:
    """Tokens in short."""

    def short(token: Token) -> str:
        if isinstance(token, str):
            return token
        return f"</{token.name}>" if isinstance(token, EndTag) else f"<{token.name}>"

    return [short(token) for token in tokens(page)]


@pytest.mark.parametrize(
    ("page", "tokens"),
    [
        ("a<p>b</P >c", ["a", "<p>", "b", "</p>", "c"]),
        ("a &lt;p&gt; &amp; b", ["a <p> & b"]),
        ("1 < 2 <3 a<b", ["1 < 2 <3 a"]),
        ("a<!-- <p> -->b<!doctype html>c<?xml?>d", ["a", "b", "c", "d"]),
        ("a<!-- b", ["a"]),
        ("<script>if (a<b) '</p>'</script>x", ["<script>", "</script>", "x"]),
        ("<script>a", ["<script>", "</script>"]),
        ("<style>p{}</STYLE\n>x", ["<style>", "</style>", "x"]),
        ("<title>a &amp; <b></title>", ["<title>", "a & <b>", "</title>"]),
        ("<textarea><p></textarea>x", ["<textarea>", "</textarea>", "x"]),
        ('<a title=">">x', ["<a>", "x"]),
        ('<a title=">x', ["x"]),
        ('<a ">x<p>y', ["x", "<p>", "y"]),
        ("<br/>x", ["<br>", "x"]),
        ("<a" + " b" * 5000 + ">x", ["x"]),
        ("</>x", ["x"]),
    ],
)
def test_tokens(page: str, tokens: list[str]) -> None:
    assert told(page) == tokens


def test_attributes() -> None:
    (tag,) = tokens("<a HREF='/x?a&amp;b' id=one hidden title = \"a b\" id=two x=>")
    assert isinstance(tag, StartTag)
    assert tag.attributes() == {
        "href": "/x?a&b",
        "id": "one",
        "hidden": "",
        "title": "a b",
        "x": "",
    }


def test_the_number_of_tokens_is_bounded() -> None:
    assert len(list(tokens("<p>" * 100, most=7))) == 7


@examples
@given(MARKUP | st.text())
def test_anything_is_cut(page: str) -> None:
    for token in tokens(page):
        if isinstance(token, StartTag):
            token.attributes()
