"""Several answers to one request, where its provider was not sent the request as it is.

A model request has one answer, so each choice is a call of its own.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from msgspec.structs import replace

from cartrita.application.completions import Completions
from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.dialects.openai_chat.response_rendering import render
from cartrita.dialects.openai_chat.stream_rendering import DONE, StreamRenderer, usage_chunk
from cartrita.domain.deltas import Accepted, Delta, Finished, size_of
from cartrita.domain.errors import CartritaError
from cartrita.domain.failovers import Failover
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage
from cartrita.gateway.answers import Answer
from cartrita.gateway.calls import Call
from cartrita.kit.long_work import run_long
from cartrita.surfaces.tasks import background_tasks
from cartrita.surfaces.v1.routes_told import route_metadata

_AT_ONCE: Final = 4
"""The most calls for one request that are open at a time, besides the first."""
_Piece: TypeAlias = tuple[int, Delta | CartritaError]
"""A delta of the choice with this index, or the error that ended it."""


@asynccontextmanager
async def open_choices(
    completions: Completions, call: Call, count: int, head: CompletionHead
) -> AsyncGenerator[Answer]:
    """The answer to a call; it has several choices, unless it is relayed. Raises CartritaError."""
    async with completions.open(call) as first:
        if first.relayed:
            yield first
            return
        if first.answered_as is not None:
            head = replace(head, model=first.answered_as)
        again = replace(call, relay=None, provider=first.provider, name=first.model)
        sender, receiver = anyio.create_memory_object_stream[_Piece]()
        async with receiver, background_tasks() as tasks:
            limiter = anyio.CapacityLimiter(_AT_ONCE)
            async with sender:
                tasks.start_soon(_read, 0, first, sender.clone())
                for index in range(1, count):
                    tasks.start_soon(_call, index, completions, again, sender.clone(), limiter)
            pieces = _Pieces(receiver, head)
            rendered = _streamed(pieces, head, count) if call.streamed else _whole(pieces, head)
            yield _Choices(first, pieces, rendered)


class _Pieces:
    """The pieces of all choices, and what those that were accepted tell; raises their errors."""

    def __init__(self, received: ObjectReceiveStream[_Piece], head: CompletionHead) -> None:
        """The `finishing` fields of the head are filled in."""
        self._received = received
        self._finishing = head.finishing
        self.receipts: tuple[Receipt, ...] = ()
        self.failovers: tuple[Failover, ...] = ()

    async def read(self) -> AsyncIterator[tuple[int, Delta]]:
        async for index, piece in self._received:
            if isinstance(piece, CartritaError):
                raise piece
            if isinstance(piece, Accepted):
                self._accepted(piece)
            yield index, piece

    def _accepted(self, delta: Accepted) -> None:
        self.receipts = tuple(dict.fromkeys([*self.receipts, *delta.receipts]))
        self.failovers += delta.failovers
        if told := route_metadata(self.failovers, self.receipts):
            self._finishing["metadata"] = told


class _Choices:
    """All choices as one answer, in bytes; its provider is that of its first choice."""

    relayed = False
    monitor = None
    usage = None

    def __init__(self, first: Answer, pieces: _Pieces, items: AsyncIterator[bytes | Delta]) -> None:
        self._first = first
        self._pieces = pieces
        self.items = items
        self.cache = first.cache

    @property
    def provider(self) -> str:
        return self._first.provider

    @property
    def model(self) -> str:
        return self._first.model

    @property
    def answered_as(self) -> str | None:
        return self._first.answered_as

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        return self._pieces.receipts or self._first.receipts

    @property
    def failovers(self) -> tuple[Failover, ...]:
        return self._pieces.failovers or self._first.failovers

    @property
    def headers(self) -> Mapping[str, str]:
        return self._first.headers


async def _call(
    index: int,
    completions: Completions,
    call: Call,
    pieces: ObjectSendStream[_Piece],
    limiter: anyio.CapacityLimiter,
) -> None:
    async with pieces:
        try:
            async with limiter, completions.open(call) as answer:
                await _read(index, answer, pieces)
        except CartritaError as error:
            await pieces.send((index, error))


async def _read(index: int, answer: Answer, pieces: ObjectSendStream[_Piece]) -> None:
    async with pieces:
        try:
            async for item in answer.items:
                if not isinstance(item, bytes):
                    await pieces.send((index, item))
        except CartritaError as error:
            await pieces.send((index, error))


async def _streamed(pieces: _Pieces, head: CompletionHead, count: int) -> AsyncIterator[bytes]:
    renderers = [StreamRenderer(head, index=index, alone=False) for index in range(count)]
    usage = Usage()
    async for index, piece in pieces.read():
        if isinstance(piece, Finished):
            usage += piece.usage
        if frames := renderers[index].feed(piece):
            yield frames
    yield (usage_chunk(head, usage) if head.include_usage else b"") + DONE


async def _whole(pieces: _Pieces, head: CompletionHead) -> AsyncIterator[bytes]:
    answers: dict[int, list[Delta]] = {}
    async for index, piece in pieces.read():
        answers.setdefault(index, []).append(piece)
    size = sum(map(size_of, answers.values()))
    yield await run_long(size, render, head, *(answers[index] for index in sorted(answers)))
