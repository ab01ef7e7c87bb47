"""How soon a live conversation hears, speaks and falls silent, and what many of them take."""

import asyncio
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from tests.benchmarks import programs
from tests.benchmarks.figures import report, table
from tests.benchmarks.options import Options
from tests.harness.deepgram.launch import Deepgram, deepgram
from tests.harness.fake_provider.launch import fake_provider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import Server
from tests.harness.voice_sockets import RATE, VoiceSocket, live_settings, voice
from tests.harness.websockets import Frame

_PROVIDER_KEY = "sk-of-the-fake-provider"
_ANSWER = "Moss grows there. It is old. Stones too."
_ASKED = f"What? {directive(Script(text=_ANSWER))}"
_LONG = f"What? {directive(Script(text=' '.join([_ANSWER] * 30), between_tokens_s=0.01))}"
_WORD_S = 0.14
"""How long the stand-in hears a word until it knows it."""
_PAUSE_S = 0.3
"""How long a pause ends a turn: `deepgram.pause_ms`."""
_EXCHANGES = 10
_CONVERSATIONS = 100
_TURN_S = 4.0
_WATCHDOG_S = 300.0


def measure(options: Options) -> None:
    """Microphones in real time, on one worker; the stand-ins answer at once."""
    with deepgram() as hearing, fake_provider(key=_PROVIDER_KEY) as provider:
        settings = {
            **live_settings(hearing),
            "CARTRITA_LOG_LEVEL": "warning",
            "CARTRITA_INBOUND_LIMITS": "off",
            "CARTRITA_WEBSOCKET_PER_OWNER_MAX": "1000",
            "CARTRITA_VOICE_SPEECH_AHEAD_S": "2",
        }
        with Server(
            provider_url=provider.base_url, lease_s=programs.LEASE_S, settings=settings
        ) as server:
            report(table("one conversation, ms", options.run(_waits(server.port, hearing))))
            for count in options.streams or (_CONVERSATIONS,):
                turns = max(2, options.rounds)
                rows = options.run(_many(server, hearing, count, turns))
                report(table(f"{count} conversations", rows))


async def _waits(port: int, hearing: Deepgram) -> dict[str, dict[str, float]]:
    found: dict[str, list[float]] = {}
    async with asyncio.timeout(_WATCHDOG_S), voice(port) as socket:
        await socket.start(model="openai/fake")
        for _ in range(_EXCHANGES):
            for name, seconds in (await _exchange(socket, hearing.samples(_ASKED))).items():
                found.setdefault(name, []).append(seconds)
        for _ in range(_EXCHANGES):
            waited = await _interruption(socket, hearing)
            found.setdefault("silent after a word", []).append(waited)
    return {
        name: {"median": median(all_of) * 1000, "worst": max(all_of) * 1000}
        for name, all_of in found.items()
    }


async def _exchange(socket: VoiceSocket, audio: bytes) -> dict[str, float]:
    """Seconds from what a person has said to what comes of it, the stand-in's own time aside."""
    microphone = _Microphone(socket, audio)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(microphone.speak(_PAUSE_S + 0.5))
        await socket.until(lambda frame: frame.get("type") == "transcript")
        interim = time.monotonic() - microphone.at(_WORD_S)
        await socket.until(lambda frame: frame.get("type") == "turn")
        turn = time.monotonic() - microphone.at(microphone.seconds + _PAUSE_S)
        await socket.until(lambda frame: "audio" in frame)
        heard = time.monotonic() - microphone.at(microphone.seconds + _PAUSE_S)
        await socket.until_type("speech_done")
    return {
        "first interim": interim,
        "turn after its pause": turn,
        "first audio after the pause": heard,
        "first audio after the last word": heard + _PAUSE_S,
    }


async def _interruption(socket: VoiceSocket, hearing: Deepgram) -> float:
    """Seconds from the end of an interrupting word to the last that is heard of the answer."""
    await socket.say(hearing.samples(_LONG) + bytes(2 * RATE))
    await socket.until(lambda frame: "audio" in frame)
    microphone = _Microphone(socket, hearing.samples("Wait."))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(microphone.speak(1.0))
        await socket.until_type("speech_stopped")
        waited = time.monotonic() - microphone.at(_WORD_S)
        rest = await socket.until(_answered(2))
        if any("audio" in frame for frame in rest):
            raise RuntimeError("It spoke on after it had told that it is silent.")
    await socket.until_type("speech_done", "speech_stopped")
    return waited


def _answered(times: int) -> Callable[[Frame], bool]:
    """Whether so many runs have ended."""
    left = [None] * times

    def ended(frame: Frame) -> bool:
        if frame.get("event") in ("done", "error"):
            left.pop()
        return not left

    return ended


def _sounds(frame: Frame) -> bool:
    if "code" in frame:
        raise RuntimeError(f"The conversation failed: {frame}")
    return "audio" in frame


class _Microphone:
    """Sends audio in frames of 20 ms, in real time; `at` is when a moment of it was sent."""

    def __init__(self, socket: VoiceSocket, audio: bytes, frame_s: float = 0.02) -> None:
        self._socket = socket
        self._audio = audio
        self._frame_s = frame_s
        self._sent: list[float] = []
        self.seconds = len(audio) / (2 * RATE)

    def at(self, seconds: float) -> float:
        return self._sent[min(int(seconds / self._frame_s), len(self._sent) - 1)]

    async def speak(self, pause_s: float) -> None:
        size = int(RATE * self._frame_s) * 2
        audio = self._audio + bytes(2 * int(RATE * pause_s))
        began = time.monotonic()
        for number, at in enumerate(range(0, len(audio), size)):
            await asyncio.sleep(max(0.0, began + number * self._frame_s - time.monotonic()))
            self._sent.append(time.monotonic())
            await self._socket.connection.send(audio[at : at + size])


async def _many(
    server: Server, hearing: Deepgram, count: int, turns: int
) -> dict[str, dict[str, float]]:
    (worker,) = server.tree.workers
    audio = hearing.samples(_ASKED)
    rows: dict[str, dict[str, float]] = {}
    waits: list[float] = []

    def note(when: str, **figures: float) -> None:
        rows[when] = {"MiB of the worker": programs.pss_kib(worker) / 1024, **figures}

    note("before")
    async with asyncio.timeout(_WATCHDOG_S * turns), asyncio.TaskGroup() as tasks:
        barrier = asyncio.Barrier(count + 1)
        for number in range(count):
            tasks.create_task(_converse(server.port, audio, turns, barrier, number / count, waits))
        await barrier.wait()
        note("all listen")
        for turn in range(turns):
            await barrier.wait()
            note(f"after turn {turn + 1}", **_percentiles(waits))
            waits.clear()
    await asyncio.sleep(1.0)
    note("all have left", open_upstream=float(hearing.open_sockets()))
    return rows


async def _converse(
    port: int, audio: bytes, turns: int, barrier: asyncio.Barrier, offset: float, waits: list[float]
) -> None:
    """One of many: it speaks at another moment than the others, and in longer frames."""
    async with voice(port) as socket:
        await socket.start(model="openai/fake", interim=False)
        await barrier.wait()
        for _ in range(turns):
            await asyncio.sleep(offset * _TURN_S)
            microphone = _Microphone(socket, audio, frame_s=0.1)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(microphone.speak(_PAUSE_S + 0.2))
                await socket.until(_sounds)
                waits.append(time.monotonic() - microphone.at(microphone.seconds + _PAUSE_S))
                await socket.until_type("speech_done")
            await barrier.wait()


def _percentiles(waits: list[float]) -> dict[str, Any]:
    ordered = sorted(waits)
    return {
        "first audio p50 ms": median(ordered) * 1000,
        "p99 ms": ordered[int(len(ordered) * 0.99)] * 1000,
    }
