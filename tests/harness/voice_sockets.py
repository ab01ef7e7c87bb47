"""A client of /ws/voice: says recorded words in frames, and hears speech between JSON frames."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tests.harness.deepgram.launch import Deepgram
from tests.harness.server import KEY
from tests.harness.websockets import Frame, SocketClient, opened

VOICE = "/ws/voice"
RATE = 16_000
_WATCHDOG_S = 30.0
_FRAME_BYTES = 3200
PAUSE = bytes(2 * RATE)
"""A second in which nothing is said: the end of a turn."""


def live_settings(server: Deepgram) -> dict[str, str]:
    """Those of a server that hears and speaks by this stand-in, as often and as fast as it can."""
    ahead = {"CARTRITA_VOICE_SPEECH_AHEAD_S": "600", "CARTRITA_PROVIDER_LIMITS": "off"}
    return {**server.settings, **ahead}


class VoiceSocket(SocketClient):
    """One open socket; a binary frame is received as `{"audio": ...}`."""

    async def next(self) -> Frame:
        async with asyncio.timeout(_WATCHDOG_S):
            received = await self.connection.recv()
        return {"audio": received} if isinstance(received, bytes) else json.loads(received)

    async def start(self, **fields: Any) -> Frame:
        """Begin to listen; the frame that answers."""
        await self.send(type="start", sample_rate=RATE, **fields)
        return (await self.until_type("listening"))[-1]

    async def say(self, audio: bytes, *, frame_bytes: int = _FRAME_BYTES) -> None:
        """Send audio in frames, as fast as the server takes it."""
        for at in range(0, len(audio), frame_bytes):
            await self.connection.send(audio[at : at + frame_bytes])

    async def until_type(self, *kinds: str) -> list[Frame]:
        """The frames up to and with the first of one of these types."""
        return await self.until(lambda frame: frame.get("type") in kinds)

    async def until_spoken(self) -> list[Frame]:
        """The frames up to the end of an answer's speech, whatever ends it."""
        return await self.until_type("speech_done", "speech_stopped")


@asynccontextmanager
async def voice(port: int, *, key: str | None = KEY, **options: Any) -> AsyncGenerator[VoiceSocket]:
    """An open socket, which has sent its key if there is one."""
    async with opened(port, key=key, target=VOICE, **options) as socket:
        yield VoiceSocket(socket.connection)


def of_type(frames: Iterable[Frame], kind: str) -> list[Frame]:
    return [frame for frame in frames if frame.get("type") == kind]


def spoken_audio(frames: Iterable[Frame]) -> bytes:
    """All speech in these frames."""
    return b"".join(frame["audio"] for frame in frames if "audio" in frame)


def kinds(frames: Iterable[Frame]) -> list[str]:
    """What the frames are, for reading: types, events, `error` and `audio`."""
    return [
        frame.get("type") or frame.get("event") or ("audio" if "audio" in frame else "error")
        for frame in frames
    ]
