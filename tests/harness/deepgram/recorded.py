"""POST /v1/listen: a whole recording."""

import io
import json
import wave
from typing import Any, Final

import msgspec
from tests.harness.deepgram import results
from tests.harness.deepgram.ear import Ear, Word
from tests.harness.deepgram.parameters import RECORDED, Query, checked
from tests.harness.deepgram.refusals import Refused, bad_request
from tests.harness.deepgram.state import State

_CONTAINERS: Final = (
    b"OggS",
    b"\x1aE\xdf\xa3",
    b"fLaC",
    b"ID3",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf1",
)
_UNKNOWN_LENGTH: Final = 0x7FFFFFFF
_CORRUPT: Final = "failed to process audio: corrupt or unsupported data"


class _Audio(msgspec.Struct, frozen=True):
    words: list[Word]
    duration: float
    channels: int


def transcribe(state: State, query: Query, content_type: str, body: bytes) -> bytes:
    """The answer. Raises Refused."""
    asked = checked(query, RECORDED)
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        raise bad_request("this stand-in fetches nothing; send the recording.")
    if not kind.startswith(("audio/", "video/")) and kind != "application/octet-stream":
        raise bad_request(f"unsupported content type {kind or '(none)'}.")
    if not body:
        raise Refused(400, "Bad Request", "Bad Request: the request body is empty.", "modern")
    audio = _hear(state, asked, body)
    model = asked.get("model", "base")
    channel: dict[str, Any] = {"alternatives": [results.alternative(audio.words, asked)]}
    if asked.get("detect_language") == "true":
        channel |= {"detected_language": "en", "language_confidence": 0.98}
    told: dict[str, Any] = {"channels": [channel]}
    if asked.get("utterances") == "true":
        told["utterances"] = results.utterances(audio.words, asked)
    whole = {
        "metadata": {
            **results.metadata(body, audio.duration, audio.channels),
            "models": [results.MODEL_UUID],
            "model_info": {results.MODEL_UUID: results.model_info(model)},
        },
        "results": told,
    }
    return json.dumps(whole).encode()


def _hear(state: State, asked: dict[str, str], body: bytes) -> _Audio:
    if "encoding" in asked:
        if "sample_rate" not in asked:
            raise bad_request("encoding needs sample_rate.")
        return _hear_samples(
            state, body, int(asked["sample_rate"]), int(asked.get("channels", "1"))
        )
    if body.startswith(b"RIFF"):
        return _hear_wave(state, body)
    if body.startswith(_CONTAINERS) or body[4:8] == b"ftyp":
        words = state.next_sentence().split()
        heard = [Word(word, at * 0.3, at * 0.3 + 0.25) for at, word in enumerate(words)]
        return _Audio(heard, len(words) * 0.3, 1)
    raise bad_request(_CORRUPT)


def _hear_wave(state: State, body: bytes) -> _Audio:
    try:
        with wave.open(io.BytesIO(body)) as reader:
            rate, channels = reader.getframerate(), reader.getnchannels()
            promised = reader.getnframes()
            samples = reader.readframes(promised)
            width = reader.getsampwidth()
    except (wave.Error, EOFError):
        raise bad_request(_CORRUPT) from None
    unknown = promised * channels * width >= _UNKNOWN_LENGTH - 64
    if width != 2 or rate <= 0 or (len(samples) < promised * channels * 2 and not unknown):
        raise bad_request(_CORRUPT)
    return _hear_samples(state, samples, rate, channels)


def _hear_samples(state: State, samples: bytes, rate: int, channels: int) -> _Audio:
    ear = Ear(rate, channels, state.words, state.next_sentence)
    words: list[Word] = []
    for _ in ear.hear(samples):
        if not ear.sounding and ear.sound_end is not None and ear.now - ear.sound_end >= 0.3:
            words += ear.take(all_of_it=True)
    words += ear.take(all_of_it=True)
    return _Audio(words, len(samples) / (2 * channels * rate), channels)
