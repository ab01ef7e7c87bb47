"""`data:` URLs as the APIs of models use them: a media type and base64."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

import msgspec

_PATTERN = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.+-]+=[^;,]*)*)(;base64)?,", re.A)

_IMAGE = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP", re.S)
"""How PNG, JPEG, GIF and WebP begin."""


class DataUrl(msgspec.Struct, frozen=True):
    """The parts of a `data:` URL; `data` is base64 where `encoded`, else percent-encoded text."""

    media_type: str
    data: str
    encoded: bool

    @property
    def is_valid(self) -> bool:
        """Whether the data is base64."""
        return self.encoded and is_base64(self.data)

    @property
    def is_image(self) -> bool:
        """Whether the data begins as an image does that models take; `is_valid` must be true."""
        return bool(_IMAGE.match(base64.b64decode(self.data[:24])))

    @property
    def content(self) -> bytes:
        """The bytes of the file. Raises ValueError if they are not base64."""
        return base64.b64decode(self.data) if self.encoded else unquote_to_bytes(self.data)


def parse(url: str) -> DataUrl | None:
    """The parts of the URL; None if it is none."""
    match = _PATTERN.match(url)
    if match is None:
        return None
    return DataUrl(match[1] or "text/plain", url[match.end() :], bool(match[3]))


def is_base64(data: str) -> bool:
    """Whether the text is base64 and not empty."""
    try:
        return bool(binascii.a2b_base64(data, strict_mode=True))
    except ValueError:
        return False
