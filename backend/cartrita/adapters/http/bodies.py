"""Bodies of responses: a whole one, and the beginning of an error's."""

import asyncio
from contextlib import suppress
from typing import Final

from cartrita.adapters.http.transport import HttpResponse
from cartrita.domain.errors import UpstreamError

_MAX_ERROR_BYTES: Final = 64 << 10
_ERROR_BODY_SECONDS: Final = 2.0


async def whole_body(response: HttpResponse) -> bytes:
    """All of it. Raises UpstreamError."""
    pieces: list[bytes] = []
    while piece := await response.read():
        pieces.append(piece)
    return b"".join(pieces)


async def error_body(response: HttpResponse) -> bytes:
    """The start of an error's body, limited in size and time."""
    body = b""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            while len(body) < _MAX_ERROR_BYTES and (piece := await response.read()):
                body += piece
    return body
