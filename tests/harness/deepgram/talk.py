"""WS /v1/speak: texts as they come, spoken until the client says Clear."""

import asyncio
import json
from collections import deque
from typing import Any, Final

import msgspec
from tests.harness.deepgram.parameters import SPOKEN_LIVE, Query, checked
from tests.harness.deepgram.refusals import REQUEST_ID, bad_request
from tests.harness.deepgram.results import MODEL_UUID
from tests.harness.deepgram.speech import LONGEST_TEXT
from tests.harness.deepgram.state import State
from tests.harness.deepgram.tones import spoken
from tests.harness.deepgram.web_socket import WebSocket

_NOT_PARSED: Final = "DATA-0000: The message cannot be parsed. See https://dpgr.am/data"
_WINDOW_S: Final = 60.0


class Options(msgspec.Struct, frozen=True):
    """What was asked for."""

    model: str
    rate: int
    speed: float


def options_of(query: Query) -> Options:
    """Raises Refused."""
    asked = checked(query, SPOKEN_LIVE)
    encoding, rate = asked.get("encoding", "linear16"), int(asked.get("sample_rate", "24000"))
    if encoding != "linear16":
        raise bad_request(f"this stand-in speaks no {encoding}.")
    if rate not in (8000, 16000, 24000, 32000, 48000):
        raise bad_request(f"Unsupported audio format: {encoding} at {rate}.")
    if "model" not in asked:
        raise bad_request("this stand-in wants a model.")
    return Options(asked["model"], rate, float(asked.get("speed", "1")))


class Talk:
    """One socket: one task hears the client, another speaks. Both end with Ended."""

    def __init__(self, state: State, options: Options, socket: WebSocket) -> None:
        self._state = state
        self._options = options
        self._socket = socket
        self._buffer = ""
        self._orders: deque[str | None] = deque()
        self._ordered = asyncio.Event()
        self._sending = asyncio.Lock()
        self._cleared = 0
        self._sequence = 0
        self._flushes: deque[float] = deque()

    async def run(self) -> None:
        """Speak until the end."""
        await self._send(
            {
                "type": "Metadata",
                "request_id": REQUEST_ID,
                "model_name": self._options.model,
                "model_version": "2026-01-01.0",
                "model_uuid": MODEL_UUID,
            }
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._speak())
            tasks.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            if isinstance(message, bytes):
                await self._socket.close(1008, _NOT_PARSED)
            else:
                await self._obey(message)

    async def _obey(self, text: str) -> None:
        message = _parsed(text)
        match message.get("type"):
            case "Speak" if isinstance(message.get("text"), str):
                await self._take(message["text"])
            case "Flush":
                await self._flush()
            case "Clear":
                await self._clear()
            case "Close":
                if self._buffer:
                    self._order(self._buffer)
                self._order(None)
            case _:
                await self._socket.close(1008, _NOT_PARSED)

    async def _take(self, text: str) -> None:
        if not text.strip():
            await self._warn("EMPTY_TEXT", "The text is empty.")
        elif len(text) > LONGEST_TEXT:
            await self._warn("TEXT_TOO_LONG", f"More than {LONGEST_TEXT} characters.")
        else:
            self._buffer = f"{self._buffer} {text}"

    async def _flush(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._flushes and self._flushes[0] <= now - _WINDOW_S:
            self._flushes.popleft()
        if len(self._flushes) >= self._state.flushes:
            limit = f"No more than {self._state.flushes} Flush messages in 60 seconds."
            await self._warn("EXCESSIVE_FLUSH", limit)
            return
        self._flushes.append(now)
        text, self._buffer = self._buffer, ""
        self._order(text)

    async def _clear(self) -> None:
        self._buffer = ""
        self._orders.clear()
        self._cleared += 1
        await self._send({"type": "Cleared", "sequence_id": self._next()})

    def _order(self, text: str | None) -> None:
        self._orders.append(text)
        self._ordered.set()

    async def _speak(self) -> None:
        while True:
            while not self._orders:
                self._ordered.clear()
                await self._ordered.wait()
            text = self._orders.popleft()
            if text is None:
                await self._socket.close(1000)
                return
            await self._speak_text(text, self._cleared)

    async def _speak_text(self, text: str, cleared: int) -> None:
        delays = self._state.delays
        await asyncio.sleep(delays.answer)
        numbers = self._state.words.numbers(text)
        for word in spoken(numbers, self._options.rate, speed=self._options.speed):
            await asyncio.sleep(delays.word)
            if self._cleared != cleared:
                return
            await self._send(word)
        if self._cleared == cleared:
            await self._send({"type": "Flushed", "sequence_id": self._next()})

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1

    async def _warn(self, code: str, description: str) -> None:
        await self._send({"type": "Warning", "code": code, "description": description})

    async def _send(self, message: dict[str, Any] | bytes) -> None:
        async with self._sending:
            await self._socket.send(message)


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
