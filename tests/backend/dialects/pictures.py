"""Pictures of a screen, as far as anybody reads them: their heads."""

import base64
import struct

from cartrita.domain.messages import Attachment


def picture(width: int = 1280, height: int = 800) -> Attachment:
    """A PNG of this size, loaded."""
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x02"
    return Attachment("image/png", url="data:image/png;base64," + base64.b64encode(head).decode())
