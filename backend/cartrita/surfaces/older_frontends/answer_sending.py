"""Sends the answer to one request translated: JSON whole, streams piece by piece, others as is."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import msgspec
from starlette.types import Message, Send

from cartrita.kit.long_work import run_long
from cartrita.surfaces.older_frontends.event_fields import FlatFrames

BodyRewriting: TypeAlias = Callable[[int, bytes], Awaitable[bytes]]
"""What a status and a body of JSON become."""

_JSON: Final = b"application/json"
_STREAM: Final = b"text/event-stream"
_PIECE: Final = 192 << 10
"""A multiple of 3, so that what is written in base64 of pieces is that of the whole."""
_AS_IT_IS: Final = frozenset({b"content-encoding", b"content-disposition"})
"""What is compressed, and what is a file to keep."""


class TranslatedAnswer:
    """Takes the messages of an answer, and sends what an older frontend reads instead.

    Answers without a body, files and what is compressed are sent as they are.
    """

    def __init__(self, send: Send, rewrite: BodyRewriting, *, speech: bool) -> None:
        self._send = send
        self._rewrite = rewrite
        self._speech = speech
        self._start: Message | None = None
        self._body = bytearray()
        self._frames: FlatFrames | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] != "http.response.body":
            await self._send(message)
        elif self._start is not None:
            await self._gather(self._start, message)
        elif self._frames is not None:
            await self._send({**message, "body": self._flat(self._frames, message)})
        else:
            await self._send(message)

    async def _begin(self, start: Message) -> None:
        headers = dict(start["headers"])
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if _AS_IT_IS.isdisjoint(headers):
            if kind == _JSON or (self._speech and kind.startswith(b"audio/")):
                self._start = start
                return
            if kind == _STREAM:
                self._frames = FlatFrames()
        await self._send(start)

    async def _gather(self, start: Message, message: Message) -> None:
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        body = bytes(self._body)
        headers = dict(start["headers"])
        if body:
            if not headers[b"content-type"].startswith(_JSON):
                body = await run_long(len(body), _audio_url, headers[b"content-type"], body)
            body = await self._rewrite(start["status"], body)
            start = {**start, "headers": _headers_of(start, body)}
        self._start = None
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def _flat(self, frames: FlatFrames, message: Message) -> bytes:
        found = frames.translate(message.get("body", b""))
        return found if message.get("more_body", False) else found + frames.end()


def _headers_of(start: Message, body: bytes) -> list[tuple[bytes, bytes]]:
    kept = [one for one in start["headers"] if one[0] not in (b"content-length", b"content-type")]
    return [(b"content-type", _JSON), *kept, (b"content-length", b"%d" % len(body))]


def _audio_url(media_type: bytes, audio: bytes) -> bytes:
    """Speech as what a page can play at once, and nobody has to keep."""
    pieces = (b64encode(audio[at : at + _PIECE]) for at in range(0, len(audio), _PIECE))
    url = f"data:{media_type.decode('latin-1')};base64,{b''.join(pieces).decode()}"
    return msgspec.json.encode({"audioUrl": url})
