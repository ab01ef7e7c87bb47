"""Images made anew: upright, of a bounded size, and with nothing in them but their picture."""

import io
import warnings
from importlib import import_module
from typing import Any, BinaryIO, cast

from cartrita.adapters.file_reading.orders import ReadingBounds
from cartrita.domain.files import UnreadableFile

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_QUALITY = 90


def remade(file: BinaryIO, bounds: ReadingBounds) -> tuple[str, bytes]:
    """The media type and the bytes: a JPEG where it came as one, else a PNG.

    Raises UnreadableFile.
    """
    try:
        pillow: Any = import_module("PIL.Image")
        operations: Any = import_module("PIL.ImageOps")
    except ImportError:
        raise UnreadableFile("Images are read where Cartrita has its extra `files`.") from None
    pillow.MAX_IMAGE_PIXELS = bounds.image_pixels
    warnings.simplefilter("error", pillow.DecompressionBombWarning)
    try:
        with pillow.open(file, formats=_FORMATS) as image:
            kind: str = image.format
            width, height = image.size
            if width * height > bounds.image_pixels:
                raise pillow.DecompressionBombError
            image.draft("RGB", (bounds.image_edge, bounds.image_edge))
            upright = operations.exif_transpose(image)
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        raise UnreadableFile(f"It has more than {bounds.image_pixels:,} pixels.") from None
    upright.thumbnail((bounds.image_edge, bounds.image_edge))
    return _encoded(upright, kind)


def _encoded(image: Any, kind: str) -> tuple[str, bytes]:  # noqa: ANN401 - an image of Pillow
    out = io.BytesIO()
    clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    plain: Any = image.convert("RGBA" if clear and kind != "JPEG" else "RGB")
    plain.info = cast("dict[str, object]", {})
    if kind == "JPEG":
        plain.save(out, "JPEG", quality=_QUALITY)
        return "image/jpeg", out.getvalue()
    plain.save(out, "PNG")
    return "image/png", out.getvalue()
