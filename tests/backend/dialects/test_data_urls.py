"""`data:` URLs are taken apart, and what is none is not."""

import pytest

from cartrita.dialects.data_urls import is_base64, parse


def test_base64() -> None:
    url = parse("data:image/png;name=a.png;base64,QUJD")
    assert url is not None
    assert (url.media_type, url.data, url.is_valid) == ("image/png", "QUJD", True)
    assert url.content == b"ABC"


def test_percent_encoded_text() -> None:
    url = parse("data:,a%20b")
    assert url is not None
    assert (url.media_type, url.content, url.is_valid) == ("text/plain", b"a b", False)


@pytest.mark.parametrize(
    "text", ["https://example.com", "data:image/png", "", "data:image;base64,"]
)
def test_what_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("text", ["", "?", "QUJ", "QUJD\n", "é"])
def test_what_is_not_base64(text: str) -> None:
    assert not is_base64(text)
