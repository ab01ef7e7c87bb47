"""Start the stand-in of Deepgram for a test, tell it what to do, and see what it was asked.

    with deepgram() as server:
        server.settings                     # the environment of a Cartrita that uses it
        wav = server.recording("What grows on stones?")     # it hears these words in it
        server.hear("And on trees?")        # what it hears in the next sound that is no such tone
        server.delay(Delays(word=0.1))      # between the words that it speaks
        server.fail(Fault(at="WS /v1/listen", do=Cut(), after=3))
        server.fail(Fault(at="POST /v1/listen", do=Refuse(status=402)))
        (asked,) = server.exchanges()

Its speech is audio of the same kind: `recording` and `POST /v1/speak` make one tone for each word.
"""

import http.client
import io
import subprocess
import wave
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from tests.harness.deepgram.exchanges import Exchange
from tests.harness.deepgram.faults import Delays, Fault
from tests.harness.deepgram.tones import silence, spoken
from tests.harness.stand_ins import started

KEY: Final = "0123456789abcdef0123456789abcdef01234567"
"""The key that it accepts, of the shape of Deepgram's."""
_WATCHDOG_S: Final = 60


class Deepgram:
    """A running stand-in. Its methods block for a round trip on the loopback interface."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, key: str) -> None:
        self._process = process
        self.port = port
        self.key = key
        self.base_url = f"http://127.0.0.1:{port}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a server that uses it by a key of its own."""
        return {"DEEPGRAM_BASE_URL": self.base_url, "DEEPGRAM_API_KEY": self.key}

    def samples(self, text: str, *, rate: int = 16_000, channels: int = 1) -> bytes:
        """Raw audio in which it hears these words: 0.16 s for each, and no pause around them."""
        numbers = msgspec.json.decode(
            self._control("POST", "/_words", text.encode()), type=list[int]
        )
        return b"".join(spoken(numbers, rate, channels=channels))

    def recording(
        self, *texts: str, rate: int = 16_000, channels: int = 1, pause_s: float = 1.0
    ) -> bytes:
        """A wav in which it hears these texts, with a pause after each."""
        pause = silence(pause_s, rate, channels)
        raw = b"".join(self.samples(one, rate=rate, channels=channels) + pause for one in texts)
        return as_wave(raw, rate=rate, channels=channels)

    def hear(self, *sentences: str) -> None:
        """What is heard in the next sounds that are none of its tones, as of a person or flite."""
        self._control("POST", "/_sentences", msgspec.json.encode(sentences))

    def fail(self, *faults: Fault) -> None:
        """What goes wrong, with the next requests at these places."""
        for fault in faults:
            self._control("POST", "/_faults", msgspec.json.encode(fault))

    def delay(self, delays: Delays) -> None:
        """How long everything takes from now on."""
        self._control("POST", "/_delays", msgspec.json.encode(delays))

    def exchanges(self) -> list[Exchange]:
        """What it was asked since the start or the last reset, oldest first."""
        return msgspec.json.decode(self._control("GET", "/_exchanges"), type=list[Exchange])

    def open_sockets(self) -> int:
        """How many WebSockets are open."""
        return msgspec.json.decode(self._control("GET", "/_open"), type=int)

    def reset(self) -> None:
        """Forget all that was told and asked."""
        self._control("DELETE", "/_all")

    def _control(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_WATCHDOG_S)
        try:
            connection.request(method, path, body, {"connection": "close"})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(f"{method} {path} was refused: {answer.decode()}")
        return answer


def as_wave(raw: bytes, *, rate: int = 16_000, channels: int = 1) -> bytes:
    """Raw audio with the header of a wav."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(raw)
    return file.getvalue()


@contextmanager
def deepgram(
    *, keys: Sequence[str] = (KEY,), silence_s: float = 10.0, flushes: int = 20
) -> Generator[Deepgram]:
    """Run the stand-in for the length of the block.

    After `silence_s` without a word of the client it closes a listening socket (10 s at Deepgram),
    and it takes so many `flushes` in a minute (20 there).

    Raises AssertionError at the end if the server ran into anything that nobody asked for.
    """
    arguments = ["--silence", str(silence_s), "--flushes", str(flushes)]
    arguments += [word for key in keys for word in ("--key", key)]
    with started("tests.harness.deepgram", arguments) as (process, port):
        yield Deepgram(process, port, keys[0])
