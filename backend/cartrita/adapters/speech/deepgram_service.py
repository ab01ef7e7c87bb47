"""Where Deepgram is, by which key it is called, and how its responses are opened."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, Literal, TypeAlias
from urllib.parse import urlencode

import msgspec

from cartrita.adapters.http.bodies import error_body
from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines, HttpRequest, HttpResponse
from cartrita.adapters.http.web_sockets import HandshakeRefused, SocketRequest, WebSocket
from cartrita.adapters.speech.deepgram_errors import NAME, handshake_error, response_error
from cartrita.kit.secret import Secret

_CONNECT_SECONDS: Final = 5.0
_NOTHING: Final = Secret("")

Query: TypeAlias = Sequence[tuple[str, str]]
"""Parameters in their order; some may be repeated."""


class DeepgramService(msgspec.Struct, frozen=True, kw_only=True):
    """A Deepgram server, what it is asked for where a request leaves it open, and its bounds.

    Seconds: `timeout` for a whole recording or speech, `idle` until the next piece of what is
    awaited, `keep_alive` between messages while no audio flows (Deepgram allows 10), `finalize`
    until the last words that were asked for are there, or there are none. When it tells nothing of
    `unheard` seconds of live audio for as long, it does not listen. `pause_ms` is the pause
    that ends an utterance.
    """

    http: HttpClient
    base_url: str
    key: Secret = _NOTHING
    model: str = "nova-3"
    voice: str = "aura-2-thalia-en"
    timeout: float = 300.0
    idle: float = 15.0
    keep_alive: float = 4.0
    finalize: float = 1.5
    unheard: float = 6.0
    pause_ms: int = 300

    @asynccontextmanager
    async def response(
        self,
        method: Literal["GET", "POST"],
        path: str,
        query: Query = (),
        *,
        body: bytes = b"",
        content_type: str = "",
        patience: float | None = None,
    ) -> AsyncGenerator[HttpResponse]:
        """A successful response; its head comes within `patience` seconds. Raises UpstreamError."""
        request = HttpRequest(
            provider=NAME,
            method=method,
            url=self._url(path, query),
            headers={**self._headers, **({"Content-Type": content_type} if content_type else {})},
            body=body,
            deadlines=self._deadlines(patience or self.idle),
            once=True,
        )
        async with self.http.open(request) as response:
            if not 200 <= response.status < 300:
                body = await error_body(response)
                raise response_error(response.status, response.headers, body, self.key)
            yield response

    @asynccontextmanager
    async def socket(self, path: str, query: Query) -> AsyncGenerator[WebSocket]:
        """An open WebSocket. Raises UpstreamError."""
        request = SocketRequest(
            provider=NAME,
            url=self._url(path, query),
            headers=self._headers,
            deadlines=self._deadlines(self.idle),
        )
        try:
            async with self.http.open_socket(request) as socket:
                yield socket
        except HandshakeRefused as refused:
            raise handshake_error(refused, self.key) from None

    def _url(self, path: str, query: Query) -> str:
        asked = f"?{urlencode(query)}" if query else ""
        return f"{self.base_url.rstrip('/')}{path}{asked}"

    @property
    def _headers(self) -> Mapping[str, str | Secret]:
        return {"Authorization": Secret(f"Token {self.key.reveal()}")}

    def _deadlines(self, patience: float) -> Deadlines:
        return Deadlines(
            connect=min(_CONNECT_SECONDS, self.timeout),
            headers=min(patience, self.timeout),
            idle=self.idle,
            total=self.timeout,
        )
