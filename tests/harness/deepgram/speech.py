"""POST /v1/speak: a text as audio, and the combinations of formats that there are."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from tests.harness.deepgram import prepared
from tests.harness.deepgram.parameters import SPOKEN, Query, checked
from tests.harness.deepgram.refusals import Refused, bad_request
from tests.harness.deepgram.state import State
from tests.harness.deepgram.tones import spoken

LONGEST_TEXT: Final = 2000


class _Encoding(msgspec.Struct, frozen=True):
    """Its containers and sample rates, the usual one first, and whether a bit rate is taken."""

    media_type: str
    containers: tuple[str, ...] = ()
    rates: tuple[int, ...] = ()
    bit_rate: bool = False


_ENCODINGS: Final[Mapping[str, _Encoding]] = {
    "linear16": _Encoding("audio/l16", ("wav", "none"), (24000, 8000, 16000, 32000, 48000)),
    "mulaw": _Encoding("audio/basic", ("wav", "none"), (8000, 16000)),
    "alaw": _Encoding("audio/basic", ("wav", "none"), (8000, 16000)),
    "mp3": _Encoding("audio/mpeg", bit_rate=True),
    "opus": _Encoding("audio/ogg;codecs=opus", ("ogg",), bit_rate=True),
    "flac": _Encoding("audio/flac", (), (48000, 8000, 16000, 22050, 32000)),
    "aac": _Encoding("audio/aac", bit_rate=True),
}


class Order(msgspec.Struct, frozen=True):
    """What shall be spoken, and how."""

    text: str
    model: str
    encoding: str
    container: str
    rate: int
    speed: float

    @property
    def media_type(self) -> str:
        """What it is sent as."""
        if self.container == "wav":
            return "audio/wav"
        if self.encoding == "linear16":
            return f"audio/l16;rate={self.rate};channels=1"
        return _ENCODINGS[self.encoding].media_type


def order_of(query: Query, content_type: str, body: bytes) -> Order:
    """Raises Refused."""
    asked = checked(query, SPOKEN)
    text = _text_of(content_type, body)
    encoding = asked.get("encoding", "mp3")
    known = _ENCODINGS[encoding]
    container = asked.get("container", known.containers[0] if known.containers else "none")
    rate = int(asked.get("sample_rate", known.rates[0] if known.rates else 22050))
    if ("container" in asked and container not in known.containers) or (
        "sample_rate" in asked and rate not in known.rates
    ):
        raise Refused(
            400,
            "UNSUPPORTED_AUDIO_FORMAT",
            f"Unsupported audio format: {encoding} in {container} at {rate}.",
        )
    if "bit_rate" in asked and not known.bit_rate:
        raise bad_request(f"bit_rate is not applicable to {encoding}.")
    if "model" not in asked:
        raise bad_request("this stand-in wants a model.")
    return Order(text, asked["model"], encoding, container, rate, float(asked.get("speed", "1")))


def pieces_of(state: State, order: Order) -> Iterator[bytes]:
    """The audio, one piece for each word."""
    numbers = state.words.numbers(order.text)
    if order.encoding in prepared.MAKERS:
        yield from prepared.MAKERS[order.encoding](len(numbers))
        return
    if order.container == "wav":
        yield _wave_header(order.rate)
    yield from spoken(numbers, order.rate, speed=order.speed)


def _text_of(content_type: str, body: bytes) -> str:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise bad_request("Content-Type must be application/json.")
    try:
        value = json.loads(body)
    except ValueError as error:
        raise Refused(400, "INVALID_JSON", f"Invalid JSON submitted: {error}", "modern") from error
    if not isinstance(value, dict) or set(value) != {"text"} or not isinstance(value["text"], str):
        raise Refused(400, "INVALID_JSON", "Json deserialize error: missing field `text`", "modern")
    text: str = value["text"]
    if not text.strip():
        raise bad_request("text must not be empty.")
    if len(text) > LONGEST_TEXT:
        raise Refused(413, "", f"Input text exceeds maximum of {LONGEST_TEXT} characters.", "text")
    return text


def _wave_header(rate: int) -> bytes:
    """The header of a wav whose length is not known yet, as it comes before the speech is made."""
    size = 0x7FFFFFFF
    fields = (16).to_bytes(4, "little") + b"\x01\x00\x01\x00" + rate.to_bytes(4, "little")
    fields += (2 * rate).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    head = b"RIFF" + size.to_bytes(4, "little") + b"WAVEfmt " + fields
    return head + b"data" + (size - 36).to_bytes(4, "little")
