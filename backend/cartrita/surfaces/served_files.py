"""Sends the bytes of files so that no browser takes them for anything of ours.

Only what is made anew or can merely be played is shown in place; all else is something to keep.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from cartrita.application.files.files import Files
from cartrita.domain.errors import Forbidden
from cartrita.domain.files import StoredFile
from cartrita.domain.media_types import UNKNOWN, is_inline

_BYTES: Final[dict[str, Any]] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Its bytes.", "content": _BYTES},
    206: {"description": "The range of its bytes that was asked for.", "content": _BYTES},
    304: {"description": "It is as it was: `If-None-Match` names it."},
}
"""How openapi.json describes what `file_response` sends."""
IMAGE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: RESPONSES[status] for status in (200, 304)
}
_SANDBOX: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
_NOT_SERVED_AS: Final = frozenset(
    {
        "script", "style", "worker", "sharedworker", "serviceworker", "audioworklet",
        "paintworklet", "manifest", "xslt", "object", "embed", "frame", "iframe",
    }
)  # fmt: skip
"""What a page would take a file for if it asked for it with these in Sec-Fetch-Dest."""
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def file_response(request: Request, files: Files, file: StoredFile) -> Response:
    """The bytes of a file, or the range of them that is asked for; for HEAD what they would be."""
    require_destination(request)
    headers = _headers(file, inline=is_inline(file.media_type))
    tag = f'"{file.sha256}"'
    headers |= {"ETag": tag, "Accept-Ranges": "bytes"}
    if _has_it(request, tag):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":  # which has no ranges: RFC 9110, section 14.2
        return Response(headers={**headers, "Content-Length": str(file.size)})
    asked = _range(request, tag, file.size)
    if asked is None:
        return await _streamed(files.content(file), file.size, headers)
    start, end = asked
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    return await _streamed(files.content(file, start, end), end - start, headers, status=206)


async def image_response(request: Request, files: Files, file: StoredFile) -> Response:
    """The image that was made of a file anew. Raises NotFound."""
    require_destination(request)
    headers = _headers(file, inline=True)
    headers |= {"Content-Type": file.image_type or UNKNOWN, "ETag": f'"{file.sha256}-image"'}
    if _has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return await _streamed(files.image(file), None, headers)


def require_destination(request: Request) -> None:
    """Raise Forbidden where a page would run the file, or be styled by it."""
    if request.headers.get("sec-fetch-dest", "").lower() in _NOT_SERVED_AS:
        raise Forbidden("Files are not served as parts of pages.", code="file_destination")


def _headers(file: StoredFile, *, inline: bool) -> dict[str, str]:
    shown = "inline" if inline else "attachment"
    plain = re.sub(r'[^ !#-\[\]-~]|[%"\\]', "_", file.name)
    name = quote(file.name, safe="")
    return {
        "Content-Type": file.media_type if inline else UNKNOWN,
        "Content-Disposition": f"{shown}; filename=\"{plain}\"; filename*=UTF-8''{name}",
        "Content-Security-Policy": _SANDBOX,
        "Cache-Control": "private, no-cache",
    }


def _has_it(request: Request, tag: str) -> bool:
    known = request.headers.get("if-none-match", "")
    return known == "*" or tag in (one.strip().removeprefix("W/") for one in known.split(","))


def _range(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """The one range that is asked for, up to before its end.

    Several of them, and one that the file does not have, are answered by the whole.
    """
    given = _RANGE.fullmatch(request.headers.get("range", ""))
    if given is None or request.headers.get("if-range", tag) != tag:
        return None
    first, last = given.groups()
    if first:
        start, end = int(first), min(size, int(last) + 1) if last else size
    else:
        start, end = max(0, size - int(last or 0)), size
    return (start, end) if start < end else None


async def _streamed(
    opening: AbstractAsyncContextManager[AsyncIterator[bytes]],
    size: int | None,
    headers: dict[str, str],
    status: int = 200,
) -> Response:
    """A response whose first bytes have been read: where there are none, that is its own error."""
    content = _content(opening)
    first = await anext(content, b"")
    if size is not None:
        headers["Content-Length"] = str(size)
    return _Sent(first, content, status, headers)


class _Sent(StreamingResponse):
    """Sends what is opened, and closes it, even where nobody is left to whom it could be sent."""

    def __init__(
        self, first: bytes, rest: AsyncGenerator[bytes], status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(_following(first, rest), status, headers)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._rest.aclose()


async def _content(
    opening: AbstractAsyncContextManager[AsyncIterator[bytes]],
) -> AsyncGenerator[bytes]:
    async with opening as pieces:
        async for piece in pieces:
            yield piece


async def _following(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece
