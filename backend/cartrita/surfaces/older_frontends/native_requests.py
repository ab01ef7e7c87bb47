"""Asks the native API on behalf of the caller of a request, with the same credentials."""

from contextlib import suppress
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec
from starlette.types import ASGIApp, Message, Scope

from cartrita.surfaces.older_frontends.queries import with_parameters
from cartrita.surfaces.older_frontends.twins import Fields

_OF_BODIES: Final = frozenset(
    {b"content-length", b"content-type", b"transfer-encoding", b"expect", b"idempotency-key"}
)
_LARGEST_PAGE: Final = 200
_MOST_MESSAGES: Final = 1_000


class Refused(Exception):
    """What a native list answered instead of a page."""

    def __init__(self, start: Message, body: bytes) -> None:
        super().__init__(start["status"])
        self.start = start
        self.body = body


class Page(msgspec.Struct, frozen=True):
    """A page of a native list."""

    items: list[Fields] = []
    next_cursor: str | None = None


class NativeRequests:
    """Reads native lists for the caller of one request."""

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        self._app = app
        self._scope = scope
        self._state = cast("dict[str, Any]", dict(scope["state"]))
        self._headers = [one for one in scope["headers"] if one[0] not in _OF_BODIES]

    async def page_before(self, path: str, query: bytes, items: int) -> Page:
        """The page that ends after so many items of a list. Raises Refused."""
        page = Page()
        while items > 0:
            limit = min(items, _LARGEST_PAGE)
            page = await self._page(path, query, limit, page.next_cursor)
            if page.next_cursor is None:
                return page
            items -= limit
        return page

    async def messages(self, conversation_id: str) -> list[Fields]:
        """The messages of a conversation, the oldest first: a thousand at most, or those told."""
        path = f"/api/conversations/{conversation_id}/messages"
        query: bytes = self._scope["query_string"]  # which may hold the key
        found: list[Fields] = []
        with suppress(Refused):
            page = await self._page(path, query, _LARGEST_PAGE, None)
            found += page.items
            while page.next_cursor is not None and len(found) < _MOST_MESSAGES:
                page = await self._page(path, query, _LARGEST_PAGE, page.next_cursor)
                found += page.items
        return found

    async def _page(self, path: str, query: bytes, limit: int, cursor: str | None) -> Page:
        place: dict[str, str | int] = {"limit": limit}
        if cursor is not None:
            place["cursor"] = cursor
        answer = await self._get(path, with_parameters(query, **place))
        if answer.start["status"] != 200:
            raise Refused(answer.start, bytes(answer.body))
        return msgspec.json.decode(answer.body, type=Page)

    async def _get(self, path: str, query: bytes) -> "_Gathered":
        answer = _Gathered()
        scope = {
            **self._scope,
            "method": "GET",
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": query,
            "headers": self._headers,
            "state": dict(self._state),
        }
        await self._app(scope, _no_body, answer.send)
        return answer


class _Gathered:
    """Keeps an answer instead of sending it."""

    def __init__(self) -> None:
        self.start: Message = {"status": 500}
        self.body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
