"""A provider over any server with an OpenAI-compatible chat completions API."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import structlog

from cartrita.adapters.providers.credentials import Anonymous, Credential
from cartrita.adapters.providers.http import (
    MAX_BYTES,
    Deadlines,
    HttpRequest,
    HttpResponse,
    Transport,
)
from cartrita.dialects.openai_chat import errors
from cartrita.dialects.openai_chat.request import render
from cartrita.dialects.openai_chat.response import model_names
from cartrita.dialects.openai_chat.stream import StreamParser, whole
from cartrita.dialects.openai_chat.types import Variant
from cartrita.domain.deltas import Delta
from cartrita.domain.errors import UpstreamCut, UpstreamError, UpstreamMalformed
from cartrita.domain.models import ModelInfo
from cartrita.domain.requests import ModelRequest
from cartrita.kit import sse

LISTING = Deadlines(connect=2.0, headers=5.0, idle=5.0, total=10.0)
"""Deadlines of the model list, which should be quicker than an answer."""

_ENDPOINT = "/chat/completions"
_MAX_ERROR_BYTES = 64 << 10
_ERROR_BODY_SECONDS = 2.0
_LAST_BYTES_SECONDS = 0.25
_log = structlog.get_logger(__name__)


class OpenAICompatible:
    """One such server. `base_url` may be its root, its `/v1`, or the chat completions endpoint.

    `models` are the names that it offers; without them, the server is asked. `max_bytes` bounds a
    response, `line_limit` one line of a stream.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        transport: Transport,
        credential: Credential | None = None,
        models: tuple[str, ...] = (),
        deadlines: Deadlines | None = None,
        variant: Variant | None = None,
        max_bytes: int = MAX_BYTES,
        line_limit: int = sse.MAX_LINE,
    ) -> None:
        self._name = name
        self._base_url = base_url
        self._transport = transport
        self._credential = credential or Anonymous()
        self._models = models
        self._deadlines = deadlines or Deadlines()
        self._variant = variant or Variant()
        self._max_bytes = max_bytes
        self._line_limit = line_limit

    @property
    def name(self) -> str:
        """The name under which clients address it."""
        return self._name

    async def models(self) -> list[ModelInfo]:
        """The configured models, else those that the server lists."""
        if self._models:
            return [ModelInfo(self._name, name) for name in self._models]
        url = endpoint(self._base_url, "/models")
        http_request = await self._request("GET", url, deadlines=LISTING)
        async with self._open(http_request) as response:
            body = await _read_body(response)
        try:
            names = model_names(body)
        except ValueError:
            raise errors.not_an_answer(self._name, response.status, "something else") from None
        return [ModelInfo(self._name, name) for name in names]

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        body = render(request, self._variant)
        deadlines = self._deadlines.for_model(request.model)
        url = endpoint(self._base_url, _ENDPOINT)
        http_request = await self._request("POST", url, body=body, deadlines=deadlines)
        async with self._open(http_request) as response:
            deltas = self._deltas(response)
            try:
                yield deltas
            finally:
                await deltas.aclose()

    async def _request(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        deadlines: Deadlines,
        body: bytes = b"",
    ) -> HttpRequest:
        content_type = {"Content-Type": "application/json"} if body else {}
        return HttpRequest(
            provider=self._name,
            method=method,
            url=url,
            headers={**await self._credential.headers(), **content_type},
            body=body,
            deadlines=deadlines,
            max_bytes=self._max_bytes,
        )

    @asynccontextmanager
    async def _open(self, http_request: HttpRequest) -> AsyncGenerator[HttpResponse]:
        """Yield a successful response; raise the UpstreamError that any other one stands for."""
        async with self._transport.open(http_request) as response:
            compressed = response.headers.get("content-encoding", "identity").lower() != "identity"
            if not 200 <= response.status < 300:
                body = b"" if compressed else await _read_error_body(response)
                raise errors.from_answer(
                    self._name, response.status, body, response.headers, self._credential.secrets
                )
            if compressed:
                raise errors.not_an_answer(self._name, response.status, "compressed data")
            yield response

    async def _deltas(self, response: HttpResponse) -> AsyncGenerator[Delta]:
        kind = response.headers.get("content-type", "").lower()
        if "html" in kind:
            raise errors.not_an_answer(self._name, response.status, "a web page")
        if "json" in kind:  # it does not stream, although it was asked to
            for delta in whole(self._name, await _read_body(response), self._credential.secrets):
                yield delta
            return
        parser = StreamParser(self._name, self._credential.secrets)
        frames = sse.Parser(max_line=self._line_limit)
        while not parser.done and (piece := await self._read(response, parser)):
            for delta in self._parse(parser, frames, piece):
                yield delta
        for delta in parser.end():
            yield delta
        await self._finish(response, parser)

    async def _read(self, response: HttpResponse, parser: StreamParser) -> bytes:
        try:
            return await response.read()
        except UpstreamCut:
            if parser.whole:  # only the usage, or the end mark, is missing
                return b""
            raise

    def _parse(self, parser: StreamParser, frames: sse.Parser, piece: bytes) -> Iterator[Delta]:
        try:
            complete, overflow = frames.feed(piece), False
        except sse.TooLong as error:
            complete, overflow = error.frames, True
        for frame in complete:
            yield from parser.feed(frame.data, frame.event)
        if overflow:
            raise UpstreamMalformed(
                f"{self._name} sent a line or an event that is too long to be one.",
                provider=self._name,
            )

    async def _finish(self, response: HttpResponse, parser: StreamParser) -> None:
        """Read what follows the end mark, so that the connection returns to the pool."""
        if parser.ignored:
            _log.debug("upstream_parts_ignored", provider=self._name, parts=parser.ignored)
        if parser.done:
            with suppress(TimeoutError, UpstreamError):
                async with asyncio.timeout(_LAST_BYTES_SECONDS):
                    while await response.read():
                        pass


def endpoint(base_url: str, path: str) -> str:
    """The URL of `path` at a provider; `base_url` may already end with the chat endpoint.

    A base URL without a path gets `/v1`, where all of these servers have their API.
    """
    parts = urlsplit(base_url)
    root = parts.path.rstrip("/")
    if root.endswith(_ENDPOINT):
        root = root.removesuffix(_ENDPOINT)
    elif not root:
        root = "/v1"
    return urlunsplit(parts._replace(path=root + path))


async def _read_body(response: HttpResponse) -> bytes:
    pieces: list[bytes] = []
    while piece := await response.read():
        pieces.append(piece)
    return b"".join(pieces)


async def _read_error_body(response: HttpResponse) -> bytes:
    """The start of an error body, cut off in size and time."""
    body = b""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            while len(body) < _MAX_ERROR_BYTES and (piece := await response.read()):
                body += piece
    return body
