"""The cookie of a display, by which its X server knows whom to let in."""

import os
import secrets
import socket
import struct
from pathlib import Path
from typing import Final

_METHOD: Final = b"MIT-MAGIC-COOKIE-1"
_OCTETS: Final = 16
_LOCAL, _ANY_PLACE = 256, 65_535


def write_cookie(path: Path, user_id: int | None) -> None:
    """Write a new one to a file that this user alone may read.

    It is there twice: for this machine, which python-xlib wants to be named, and for any.
    """
    cookie = secrets.token_bytes(_OCTETS)
    here = socket.gethostname().encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_entry(_LOCAL, here, cookie) + _entry(_ANY_PLACE, b"", cookie))
        if user_id is not None:
            os.fchown(file.fileno(), user_id, user_id)


def _entry(family: int, address: bytes, cookie: bytes) -> bytes:
    """An entry for displays of any number."""
    fields = b"".join(
        struct.pack(">H", len(each)) + each for each in (address, b"", _METHOD, cookie)
    )
    return struct.pack(">H", family) + fields
