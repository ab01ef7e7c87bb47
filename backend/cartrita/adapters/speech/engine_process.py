"""The process of an engine, seen from outside: it is sent sound, and asked what was said."""

from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final, cast

import msgspec
import structlog

from cartrita.adapters.processes.children import started
from cartrita.adapters.speech.engines.orders import (
    ADD,
    DROP,
    FINAL,
    FRAME_HEAD,
    INTERIM,
    EngineFailure,
    EngineLine,
    EngineOrder,
    TextLine,
)
from cartrita.domain.errors import Unavailable, UpstreamCut

log = structlog.get_logger(__name__)

EMBEDDED: Final = "embedded"
_MODULE: Final = "cartrita.adapters.speech.engines.main"
_LONGEST_LINE: Final = 1 << 20
_line = msgspec.json.Decoder(cast("type[EngineLine]", EngineLine))


class EngineProcess:
    """One engine; utterances follow each other. All methods raise UpstreamCut and Unavailable."""

    def __init__(self, process: Process, engine: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._engine = engine

    async def add(self, pcm: bytes) -> None:
        """More of the utterance; waits while the engine is behind."""
        await self._send(ADD, pcm)

    async def interim(self) -> str:
        """What is said so far."""
        await self._send(INTERIM)
        return (await self._answer()).text

    async def final(self) -> TextLine:
        """What was said in the utterance, which has ended."""
        await self._send(FINAL)
        return await self._answer()

    async def drop(self) -> None:
        """The utterance has ended, and was nothing."""
        await self._send(DROP)

    async def _send(self, kind: bytes, sound: bytes = b"") -> None:
        if self._stdin.is_closing():  # uvloop raises no ConnectionError then
            return
        with suppress(ConnectionError):  # it has ended: the next answer tells
            self._stdin.write(FRAME_HEAD.pack(kind, len(sound)) + sound)
            await self._stdin.drain()

    async def _answer(self) -> TextLine:
        line = await self._stdout.readline()
        if not line:
            raise UpstreamCut(
                f"{self._engine} has ended: it took more than it may, or it failed.",
                provider=EMBEDDED,
            )
        match _line.decode(line):
            case EngineFailure(detail):
                log.error("engine_cannot_be_loaded", engine=self._engine, detail=detail)
                raise Unavailable(
                    f"{self._engine} cannot be loaded where the server runs: its log says why.",
                    code="transcription_unavailable",
                )
            case TextLine() as found:
                return found


@asynccontextmanager
async def engine_process(order: EngineOrder) -> AsyncGenerator[EngineProcess]:
    """An engine's process, which is killed when the body is left."""
    told = msgspec.json.encode(order).decode()
    async with started(_MODULE, told, stdin=PIPE, line_bytes=_LONGEST_LINE) as process:
        yield EngineProcess(process, order.engine)
