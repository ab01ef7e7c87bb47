"""Converts files to the sources of image and document blocks, and back: base64, text or a URL."""

import base64
from typing import TypeAlias, cast, get_args

from cartrita.dialects import data_urls
from cartrita.dialects.anthropic_messages import request_types as wire
from cartrita.dialects.losses import UnsendableFile
from cartrita.domain.messages import Attachment

PDF = "application/pdf"
IMAGE_TYPES: tuple[str, ...] = get_args(wire.ImageType)
_TEXT_TYPES = ("application/json", "application/xml", "application/yaml", "application/toml")

DocumentSource: TypeAlias = wire.PdfData | wire.PlainText | wire.UrlSource


def image_source(part: Attachment) -> wire.ImageData | wire.UrlSource:
    """The source of an image. Raises InvalidInput for one that the API does not take."""
    url = _url(part)
    if not url.startswith("data:"):
        return wire.UrlSource(url)
    media_type = "image/jpeg" if part.media_type == "image/jpg" else part.media_type
    if media_type not in IMAGE_TYPES:
        raise UnsendableFile(part, f"only {', '.join(IMAGE_TYPES)} are taken")
    return wire.ImageData(cast("wire.ImageType", media_type), _base64(part, url))


def document_source(part: Attachment) -> DocumentSource:
    """The source of a PDF or a text. Raises InvalidInput for any other file."""
    url = _url(part)
    if part.media_type == PDF:
        is_data = url.startswith("data:")
        return wire.PdfData(PDF, _base64(part, url)) if is_data else wire.UrlSource(url)
    if not part.media_type.startswith("text/") and part.media_type not in _TEXT_TYPES:
        raise UnsendableFile(part, "only images, PDFs and texts are taken")
    if not url.startswith("data:"):
        raise UnsendableFile(part, "only images and PDFs can be sent by address")
    try:
        return wire.PlainText("text/plain", base64.b64decode(_base64(part, url)).decode())
    except UnicodeDecodeError:
        raise UnsendableFile(part, "it is not text in UTF-8") from None


def data_url(media_type: str, data: str) -> str:
    """The `data:` URL of base64."""
    return f"data:{media_type};base64,{data}"


def text_url(text: str) -> str:
    """The `data:` URL of a text."""
    return data_url("text/plain", base64.b64encode(text.encode()).decode())


def _url(part: Attachment) -> str:
    if part.url is None:
        raise UnsendableFile(part, "it has not been loaded")
    return part.url


def _base64(part: Attachment, url: str) -> str:
    parsed = data_urls.parse(url)
    if parsed is None:
        raise UnsendableFile(part, "its address is no data URL")
    if not parsed.encoded:
        return base64.b64encode(parsed.content).decode()
    is_empty_text = not parsed.data and part.media_type.startswith("text/")
    if not is_empty_text and not parsed.is_valid:
        raise UnsendableFile(part, "its data is not base64")
    return parsed.data
