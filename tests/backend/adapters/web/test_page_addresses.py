"""What is an address of a page, and in which spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.adapters.web.page_addresses import page_address, redirected
from cartrita.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://Example.COM", "https://example.com/"),
        (" http://example.com:8080/a?b=c#d ", "http://example.com:8080/a?b=c"),
        ("HTTP://example.com./", "http://example.com./"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/ä"),
        ("http://1.1.1.1/", "http://1.1.1.1/"),
        ("http://[2606:2800::0001]/", "http://[2606:2800::1]/"),
        ("http://１.１.１.１/", "http://1.1.1.1/"),
    ],
)
def test_addresses(given: str, meant: str) -> None:
    assert page_address(given) == meant
    assert page_address(meant) == meant


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "data:text/html,x",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://:80/",
        "http://user@example.com/",
        "http://user:password@example.com/",
        "http://example.com@127.0.0.1/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com\\.evil.test/",
        "http://example.com/\\evil",
        "http://exa mple.com/",
        "http://example.com/a\nb",
        "http://example.com/\0",
        "http://example.com:x/",
        "http://example.com:99999/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://[1.2.3.4]/",
        "http://[v1.a]/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.0x1/",
        "http://127.0.0.1./",
        "http://1.2.3.4.5/",
        "http://a.123/",
        "http://%31%32%37.0.0.1/",
        "http://a..b/",
        "http://-a.test/",
        "http://a℀b.test/",
        "http://" + "a" * 300 + "/",
        "http://example.com/" + "a" * 3000,
    ],
)
def test_what_is_none(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        page_address(url)
    assert list(caught.value.fields) == ["url"]


def test_where_a_redirect_leads() -> None:
    here = "https://example.com/a/b"
    assert redirected(here, "../c?d") == "https://example.com/c?d"
    assert redirected(here, "//other.test/x") == "https://other.test/x"
    for location in ("file:///etc/passwd", "//user@h/", "http://[", "http://127.1/", "/a b"):
        with pytest.raises(InvalidInput):
            redirected(here, location)


@examples
@given(st.text() | st.text().map("http://{}".format) | st.text().map("https://a.test/{}".format))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = page_address(text)
    except InvalidInput:
        return
    assert page_address(address) == address
