"""The deltas of a streamed response: its bytes cut into frames, and these parsed by its dialect."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Self

import structlog
from msgspec.structs import replace

from cartrita.adapters.http.transport import HttpResponse
from cartrita.dialects.stream_parsers import StreamParser
from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.errors import UpstreamCut, UpstreamError, UpstreamMalformed
from cartrita.kit import sse

_LAST_BYTES_SECONDS = 0.25
log = structlog.get_logger(__name__)


class StreamedDeltas:
    """Iterates over the deltas of one response; `Accepted` comes first, if it has to tell anything.

    It is an object, because nested generators would cost as much for each delta as its parsing.
    """

    def __init__(
        self,
        provider: str,
        response: HttpResponse,
        parser: StreamParser,
        accepted: Accepted,
        line_limit: int,
    ) -> None:
        self._provider = provider
        self._response = response
        self._parser = parser
        self._accepted = accepted
        self._begun = False
        self._frames = sse.Parser(max_line=max(line_limit, parser.line_bytes))
        self._waiting: deque[Delta] = deque()
        self._failure: UpstreamError | None = None
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delta:
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                await self._drain()
                raise StopAsyncIteration
            if self._parser.done:
                self._end()
                continue
            try:
                piece = await self._response.read()
            except UpstreamCut:
                if not self._parser.complete:
                    raise
                piece = b""  # only the usage, or the end mark, is missing
            if piece:
                self._parse(piece)
            else:
                self._end()
        return self._waiting.popleft()

    def _parse(self, piece: bytes) -> None:
        """Have the deltas of a piece wait, and after them what is wrong with it."""
        overlong = False
        try:
            frames = self._frames.feed(piece)
        except sse.TooLong as error:
            frames, overlong = error.frames, True
        try:
            for frame in frames:
                self._add(self._parser.feed(frame.data, frame.event))
        except UpstreamError as error:
            self._failure = error
        else:
            if overlong:
                self._failure = self._too_long()

    def _too_long(self) -> UpstreamMalformed:
        """The error of a line or an event; after a part of an answer it would come again."""
        return UpstreamMalformed(
            f"{self._provider} sent a line or an event that is too long to be one.",
            provider=self._provider,
            retryable=not self._begun,
        )

    def _add(self, deltas: list[Delta]) -> None:
        if deltas and not self._begun:
            self._begun = True
            accepted = replace(self._accepted, counted=self._parser.counted)
            self._waiting += told_before(accepted, self._parser.model)
        self._waiting += deltas

    def _end(self) -> None:
        self._ended = True
        try:
            self._add(self._parser.end())
        except UpstreamError as error:
            self._failure = error

    async def _drain(self) -> None:
        """Read what follows the end mark, so that the connection returns to the pool."""
        if self._parser.ignored:
            log.debug("upstream_parts_ignored", provider=self._provider, parts=self._parser.ignored)
        if not self._parser.done:
            return
        with suppress(TimeoutError, UpstreamError):
            async with asyncio.timeout(_LAST_BYTES_SECONDS):
                while await self._response.read():
                    pass


def told_before(accepted: Accepted, answered: str | None) -> tuple[Accepted, ...]:
    """What is told before the deltas of an answer that calls its model so, if anything is."""
    if answered is None or answered == accepted.model:
        return (accepted,) if accepted.receipts or accepted.counted else ()
    return (replace(accepted, answered_as=answered),)
