"""Checks of images, files and sounds that a request carries, as strict as models that see them."""

import re

from tests.harness.fake_provider import media
from tests.harness.fake_provider.openai import errors

_DATA = re.compile(r"data:([^;,]+);base64,(.*)", re.DOTALL)


def image_url(value: object, path: str) -> None:
    """An address, or a data URL of an image that is what it says it is."""
    url = str(value)
    if url.startswith(("http://", "https://")):
        return
    found = _DATA.fullmatch(url)
    if found is None:
        raise errors.OpenAIRefusal(
            f"Invalid '{path}'. Expected a valid URL, but got a value with an invalid format.",
            param=path,
            code="invalid_value",
        )
    data = media.decoded(found[2])
    if not data:
        raise errors.OpenAIRefusal(
            f"Invalid '{path}'. Expected a base64-encoded data URL with an image MIME type (e.g. "
            "'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got an invalid base64-encoded "
            "value.",
            param=path,
            code="invalid_base64",
        )
    if media.image_type(data) is None:
        raise errors.OpenAIRefusal(
            "You uploaded an unsupported image. Please make sure your image is valid and has one "
            "of the following formats: ['png', 'jpeg', 'gif', 'webp'].",
            code="image_parse_error",
        )


def file_part(value: object, path: str) -> None:
    """A data URL of a PDF."""
    found = _DATA.fullmatch(str(value))
    data = media.decoded(found[2]) if found else None
    if found is None or not data:
        raise errors.OpenAIRefusal(
            f"Invalid '{path}'. Expected a base64-encoded data URL with a supported MIME type "
            "(e.g. 'data:application/pdf;base64,aW1nIGJ5dGVzIGhlcmU='), but got an invalid value.",
            param=path,
            code="invalid_value",
        )
    if found[1] == "application/pdf" and not media.is_pdf(data):
        raise errors.OpenAIRefusal("The file could not be read as a PDF.", code="invalid_file")


def sound(value: object, path: str) -> None:
    """Base64 of some bytes."""
    if not media.decoded(str(value)):
        raise errors.OpenAIRefusal(
            f"Invalid '{path}'. Expected base64-encoded audio.", param=path, code="invalid_value"
        )
