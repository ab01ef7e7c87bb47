"""Stands before the native API, and translates what older frontends ask and are answered."""

from typing import cast
from urllib.parse import quote

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from cartrita.kit import clock
from cartrita.surfaces.dependencies import OWNER_STATE
from cartrita.surfaces.older_frontends.absent_values import without_absent_keys
from cartrita.surfaces.older_frontends.addresses import (
    SOCKET,
    Address,
    native_address,
)
from cartrita.surfaces.older_frontends.answer_sending import TranslatedAnswer
from cartrita.surfaces.older_frontends.answers import (
    Around,
    empty_page,
    is_conversation,
    old_answer,
)
from cartrita.surfaces.older_frontends.native_requests import NativeRequests, Page, Refused
from cartrita.surfaces.older_frontends.queries import (
    native_query,
    with_parameters,
    without_offset,
)
from cartrita.surfaces.older_frontends.request_bodies import TranslatedBody, translation_for
from cartrita.surfaces.older_frontends.twins import Fields
from cartrita.surfaces.older_frontends.websocket_frames import TranslatedSocket


class OlderFrontends:
    """The outermost ASGI application where older frontends are served.

    Only the native API is translated: what asks for anything else goes to `app` as it is. Bodies of
    at most `most_bytes` are read whole.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._since = clock.iso(clock.now())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            address = native_address(scope["method"], scope["path"])
            if address is not None:
                await self._answer(address, scope, receive, send)
                return
        elif scope["type"] == "websocket" and scope["path"] == SOCKET:
            socket = TranslatedSocket(receive, send)
            scope = _native_scope(scope, Address("GET", SOCKET))
            await self._app(scope, socket.receive, socket.send)
            return
        await self._app(scope, receive, send)

    async def _answer(self, address: Address, scope: Scope, receive: Receive, send: Send) -> None:
        scope = _native_scope(scope, address)
        translation = translation_for(address)
        if translation is not None:
            receive = TranslatedBody(receive, translation, self._most_bytes).receive
        exchange = _Exchange(address, scope, NativeRequests(self._app, scope), self._since)
        speech = address.path == "/api/voice/speak"
        answer = TranslatedAnswer(send, exchange.rewritten, speech=speech)
        try:
            await exchange.pass_over()
        except Refused as refused:
            await answer.send(refused.start)
            await answer.send({"type": "http.response.body", "body": refused.body})
            return
        await self._app(exchange.scope, receive, answer.send)


class _Exchange:
    """One request of an older frontend, with what its answer is made of."""

    def __init__(self, address: Address, scope: Scope, native: NativeRequests, since: str) -> None:
        self.scope = scope
        self._address = address
        self._native = native
        self._since = since
        self._beyond_end = False

    async def pass_over(self) -> None:
        """Begin a list after as many items as its query says. Raises Refused."""
        query, offset = without_offset(self._address.path, self.scope["query_string"])
        if offset and self._address.method == "GET":
            page = await self._native.page_before(self._address.path, query, offset)
            self._beyond_end = page.next_cursor is None
            self.scope = {**self.scope, "query_string": _continued(query, page)}

    async def rewritten(self, status: int, body: bytes) -> bytes:
        """The body that is sent for a native one."""
        if self._beyond_end and status < 400:
            body = empty_page(body)
        state = cast("dict[str, str]", self.scope["state"])
        messages = await self._messages(status, body)
        around = Around(state.get(OWNER_STATE, ""), self._since, messages)
        return old_answer(self._address, status, body, around)

    async def _messages(self, status: int, body: bytes) -> list[Fields]:
        if status >= 400 or not is_conversation(self._address):
            return []
        return await self._native.messages(msgspec.json.decode(body)["id"])


def _continued(query: bytes, page: Page) -> bytes:
    return query if page.next_cursor is None else with_parameters(query, cursor=page.next_cursor)


def _native_scope(scope: Scope, address: Address) -> Scope:
    return {
        **scope,
        "method": address.method,
        "path": address.path,
        "raw_path": quote(address.path).encode(),
        "query_string": native_query(address.path, scope["query_string"]),
        "headers": without_absent_keys(scope["headers"]),
    }
