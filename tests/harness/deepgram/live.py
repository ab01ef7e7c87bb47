"""WS /v1/listen: audio as it is recorded, and what is heard of it.

The clock is that of the audio: a pause has ended an utterance when the samples of the pause came.
"""

import asyncio
import json
from typing import Any, Final

import msgspec
from tests.harness.deepgram import results
from tests.harness.deepgram.ear import Ear, Word
from tests.harness.deepgram.parameters import LIVE, Query, checked
from tests.harness.deepgram.refusals import REQUEST_ID, bad_request
from tests.harness.deepgram.state import State
from tests.harness.deepgram.web_socket import WebSocket

_CONTROL: Final = ("KeepAlive", "Finalize", "CloseStream")
_LONGEST_SEGMENT_S: Final = 5.0
_EMPTY_EVERY_S: Final = 3.0
_NO_AUDIO: Final = (
    "NET-0001: Deepgram did not receive audio data or a text message within the timeout window. "
    "See https://dpgr.am/net0001"
)
_NOT_DECODED: Final = "DATA-0000: The payload cannot be decoded as audio. See https://dpgr.am/data"


class Options(msgspec.Struct, frozen=True):
    """What was asked for."""

    asked: dict[str, str]
    rate: int
    channels: int
    endpointing: float | None
    utterance_end: float | None

    @property
    def interim(self) -> bool:
        return self.asked.get("interim_results") == "true"


def options_of(query: Query) -> Options:
    """Raises Refused."""
    asked = checked(query, LIVE)
    if "encoding" not in asked or "sample_rate" not in asked:
        raise bad_request("raw audio needs encoding and sample_rate.")
    if asked["encoding"] != "linear16":
        raise bad_request(f"this stand-in hears no {asked['encoding']}.")
    if "utterance_end_ms" in asked and asked.get("interim_results") != "true":
        raise bad_request("utterance_end_ms needs interim_results.")
    pause = asked.get("endpointing", "10")
    end = asked.get("utterance_end_ms")
    return Options(
        asked,
        int(asked["sample_rate"]),
        int(asked.get("channels", "1")),
        None if pause == "false" else float(pause) / 1000,
        None if end is None else float(end) / 1000,
    )


class LiveListening:
    """One socket. The talk ends with Ended."""

    def __init__(self, state: State, options: Options, socket: WebSocket) -> None:
        self._state = state
        self._options = options
        self._socket = socket
        self._ear = Ear(options.rate, options.channels, state.words, state.next_sentence)
        self._start = 0.0
        self._interim = 0
        self._speaking = False
        self._last_word_end: float | None = None
        self._audio = b""

    async def run(self) -> None:
        """Hear until the end."""
        while True:
            try:
                async with asyncio.timeout(self._state.silence_s):
                    message = await self._socket.receive()
            except TimeoutError:
                await self._socket.close(1011, _NO_AUDIO)
                return
            if isinstance(message, bytes):
                await self._hear(message)
            else:
                await self._obey(message)

    async def _hear(self, data: bytes) -> None:
        if not data or data.startswith(b'{"'):
            await self._socket.close(1008, _NOT_DECODED)
        for _ in self._ear.hear(data):
            await self._look()

    async def _obey(self, text: str) -> None:
        try:
            kind = json.loads(text)["type"]
        except (ValueError, KeyError, TypeError):
            kind = None
        if kind not in _CONTROL:
            problem = {"variant": "SchemaError", "description": "Could not deserialize a message."}
            await self._socket.send({"type": "Error", **problem, "message": text})
        elif kind == "Finalize":
            await self._end_segment(ended=False, from_finalize=True)
        elif kind == "CloseStream":
            await self._end_segment(ended=False)
            told = results.metadata(b"", self._ear.now, self._options.channels)
            await self._socket.send({"type": "Metadata", **told})
            await self._socket.close(1000)

    async def _look(self) -> None:
        """Tell what has become known with these 10 ms."""
        ear, options = self._ear, self._options
        if ear.sounding and not self._speaking:
            self._speaking = True
            if options.asked.get("vad_events") == "true":
                began = {"channel": [0, 1], "timestamp": round(ear.now - 0.01, 3)}
                await self._tell({"type": "SpeechStarted", **began})
        if len(ear.heard) > self._interim:
            self._interim = len(ear.heard)
            if options.interim:
                await self._tell(self._results(ear.heard, final=False, ended=False))
        quiet = ear.now - ear.sound_end if ear.sound_end is not None else 0.0
        if self._speaking and options.endpointing is not None and quiet >= options.endpointing:
            await self._end_segment(ended=True)
        elif ear.now - self._start >= (_LONGEST_SEGMENT_S if self._speaking else _EMPTY_EVERY_S):
            await self._end_segment(ended=False, only_known=True)
        await self._look_for_end(quiet)

    async def _look_for_end(self, quiet: float) -> None:
        end = self._options.utterance_end
        if end is not None and self._last_word_end is not None and quiet >= end:
            last, self._last_word_end = self._last_word_end, None
            await self._tell({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last})

    async def _end_segment(
        self, *, ended: bool, only_known: bool = False, from_finalize: bool = False
    ) -> None:
        """Tell the final words up to now, if there was any audio."""
        words = self._ear.take(all_of_it=not only_known)
        if from_finalize and self._ear.now == self._start:
            return
        told = self._results(words, final=True, ended=ended)
        if words:
            self._last_word_end = words[-1].end
        self._start, self._interim = self._ear.now, 0
        self._speaking = self._speaking and only_known
        await self._tell({**told, "from_finalize": True} if from_finalize else told)

    def _results(self, words: list[Word], *, final: bool, ended: bool) -> dict[str, Any]:
        model = self._options.asked.get("model", "base")
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": round(self._ear.now - self._start, 3),
            "start": round(self._start, 3),
            "is_final": final,
            "speech_final": ended,
            "from_finalize": False,
            "channel": {"alternatives": [results.alternative(words, self._options.asked)]},
            "metadata": {
                "request_id": REQUEST_ID,
                "model_info": results.model_info(model),
                "model_uuid": results.MODEL_UUID,
            },
        }

    async def _tell(self, message: dict[str, Any]) -> None:
        if self._state.delays.hearing:
            await asyncio.sleep(self._state.delays.hearing)
        await self._socket.send(message)
