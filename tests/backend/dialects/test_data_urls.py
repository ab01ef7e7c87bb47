"""`data:` URLs are taken apart, and what is none is not."""

import base64

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


@pytest.mark.parametrize(
    ("begin", "is_image"),
    [
        (b"\x89PNG\r\n\x1a\n", True),
        (b"\xff\xd8\xff\xe0", True),
        (b"GIF89a", True),
        (b"RIFF1234WEBPVP8 ", True),
        (b"RIFF1234WAVE", False),
        (b"not an image", False),
        (b"", False),
    ],
)
def test_images_are_known_by_their_first_bytes(begin: bytes, is_image: bool) -> None:
    url = parse(f"data:image/png;base64,{base64.b64encode(begin).decode()}")
    assert url is not None
    assert url.is_image is is_image
