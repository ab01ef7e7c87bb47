"""A provider that speaks OpenAI's chat completions."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import structlog

from cartrita.adapters.providers.credentials import Anonymous, Credential
from cartrita.adapters.providers.http import MAX_BYTES, Answer, Call, Deadlines, Transport
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
"""For the list of models, for which nobody wants to wait as long as for an answer."""

_ENDPOINT = "/chat/completions"
_MAX_ERROR_BYTES = 64 << 10
_ERROR_BODY_SECONDS = 2.0
_LAST_BYTES_SECONDS = 0.25
_log = structlog.get_logger(__name__)


class OpenAILike:
    """One server of this wire. `base_url` may be its root, its `/v1`, or the endpoint itself.

    `models` are its models, where it need not be asked. `line_limit` is in bytes.
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
        """By which it is addressed."""
        return self._name

    async def models(self) -> list[ModelInfo]:
        """What the server says that it offers, unless that was configured."""
        if self._models:
            return [ModelInfo(self._name, name) for name in self._models]
        url = endpoint(self._base_url, "/models")
        call = await self._call("GET", url, deadlines=LISTING)
        async with self._opened(call) as answer:
            body = await _body(answer)
        try:
            names = model_names(body)
        except ValueError:
            raise errors.not_an_answer(self._name, answer.status, "something else") from None
        return [ModelInfo(self._name, name) for name in names]

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        body = render(request, self._variant)
        deadlines = self._deadlines.for_model(request.model)
        url = endpoint(self._base_url, _ENDPOINT)
        call = await self._call("POST", url, body=body, deadlines=deadlines)
        async with self._opened(call) as answer:
            deltas = self._deltas(answer)
            try:
                yield deltas
            finally:
                await deltas.aclose()

    async def _call(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        deadlines: Deadlines,
        body: bytes = b"",
    ) -> Call:
        posts = {"Content-Type": "application/json"} if body else {}
        return Call(
            provider=self._name,
            method=method,
            url=url,
            headers={**await self._credential.headers(), **posts},
            body=body,
            deadlines=deadlines,
            max_bytes=self._max_bytes,
        )

    @asynccontextmanager
    async def _opened(self, call: Call) -> AsyncGenerator[Answer]:
        """Only an answer that claims success gets through."""
        async with self._transport.open(call) as answer:
            packed = answer.headers.get("content-encoding", "identity").lower() != "identity"
            if not 200 <= answer.status < 300:
                body = b"" if packed else await _beginning(answer)
                raise errors.from_answer(
                    self._name, answer.status, body, answer.headers, self._credential.secrets
                )
            if packed:
                raise errors.not_an_answer(self._name, answer.status, "compressed data")
            yield answer

    async def _deltas(self, answer: Answer) -> AsyncGenerator[Delta]:
        kind = answer.headers.get("content-type", "").lower()
        if "html" in kind:
            raise errors.not_an_answer(self._name, answer.status, "a web page")
        if "json" in kind:  # it does not stream, although it was asked to
            for delta in whole(self._name, await _body(answer), self._credential.secrets):
                yield delta
            return
        parser = StreamParser(self._name, self._credential.secrets)
        frames = sse.Parser(max_line=self._line_limit)
        while not parser.done and (piece := await self._read(answer, parser)):
            for delta in self._parsed(parser, frames, piece):
                yield delta
        for delta in parser.end():
            yield delta
        await self._leave(answer, parser)

    async def _read(self, answer: Answer, parser: StreamParser) -> bytes:
        try:
            return await answer.read()
        except UpstreamCut:
            if parser.whole:  # only the usage, or the end mark, is missing
                return b""
            raise

    def _parsed(self, parser: StreamParser, frames: sse.Parser, piece: bytes) -> Iterator[Delta]:
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

    async def _leave(self, answer: Answer, parser: StreamParser) -> None:
        """Read to the end of the body after its end mark, so that the connection can be kept."""
        if parser.ignored:
            _log.debug("upstream_parts_ignored", provider=self._name, parts=parser.ignored)
        if parser.done:
            with suppress(TimeoutError, UpstreamError):
                async with asyncio.timeout(_LAST_BYTES_SECONDS):
                    while await answer.read():
                        pass


def endpoint(base_url: str, path: str) -> str:
    """The address of `path` at a provider, whose base URL may name the chat endpoint already.

    An address without any path gets `/v1`, where all of these servers have their API.
    """
    parts = urlsplit(base_url)
    root = parts.path.rstrip("/")
    if root.endswith(_ENDPOINT):
        root = root.removesuffix(_ENDPOINT)
    elif not root:
        root = "/v1"
    return urlunsplit(parts._replace(path=root + path))


async def _body(answer: Answer) -> bytes:
    pieces: list[bytes] = []
    while piece := await answer.read():
        pieces.append(piece)
    return b"".join(pieces)


async def _beginning(answer: Answer) -> bytes:
    """What an error says, unless it says too much or takes too long over it."""
    body = b""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            while len(body) < _MAX_ERROR_BYTES and (piece := await answer.read()):
                body += piece
    return body
