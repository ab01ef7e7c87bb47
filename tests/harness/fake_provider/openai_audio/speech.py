"""Speech: a tone for each token of the text, in the format that is asked for."""

import base64
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from tests.harness.fake_provider import words
from tests.harness.fake_provider.content import Question
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.openai import errors, limits, parameters
from tests.harness.fake_provider.openai.access import check_post
from tests.harness.fake_provider.openai.words import OpenAIWords
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fake_provider.openai_audio.answer import EVENTS, AudioAnswer
from tests.harness.fake_provider.shape_checks import Shapes
from tests.harness.fake_provider.steps import Steps

Json = dict[str, Any]
MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
VOICES = (
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer",
    "verse", "marin", "cedar",
)  # fmt: skip
_OLDER = ("tts-1", "tts-1-hd")
_LONGEST = 4096
_REQUEST = "SpeechCreateParams"
_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


def _input(value: Any, path: str) -> None:
    if value == "":
        raise errors.out_of_bounds(
            path,
            "string too short. Expected a string with minimum length 1, but got an empty string "
            "instead.",
            "string_below_min_length",
        )
    limits.text(_LONGEST)(value, path)


def _speed(value: Any, path: str) -> None:
    if value < 0.25:
        limits.decimal(1, 4)(value, path)
    limits.decimal(0, 4)(value, path)


_SHAPES = Shapes("openai_audio", OpenAIWords(), {"input": _input, "speed": _speed})


def speak(call: Call) -> Steps:
    """Return what to do on the socket; raises Refusal."""
    check_post(call)
    fields = _checked(call.request.body, call.service.selector.models)
    model = cast("str", fields["model"])
    asked = Question(cast("str", fields["input"]))
    known = model if model in call.service.selector.models else "fake"
    script = call.exchange.script = call.service.selector.choose(call.path, known, asked)
    audio = cast("str", fields.get("response_format", "mp3"))
    tokens = words.tokens(asked.prompt)
    pieces = sounds.spoken(tokens, audio, cast("float", fields.get("speed", 1.0)))
    if fields.get("stream_format") == "sse":
        return AudioAnswer(call, script, EVENTS, _events(pieces, len(tokens))).steps()
    return AudioAnswer(call, script, _TYPES[audio], pieces).steps()


def _checked(body: bytes, others: Sequence[str]) -> Json:
    fields = parameters.decode(body)
    if unknown := [name for name in fields if name not in _SHAPES.fields(_REQUEST)]:
        raise errors.unrecognized(unknown)
    _SHAPES.check(_REQUEST, fields)
    model, voice = cast("str", fields["model"]), fields["voice"]
    if model not in MODELS and model not in others:
        raise errors.no_such_model(model)
    if isinstance(voice, str) and voice not in VOICES:
        raise errors.wrong_value("voice", voice, VOICES)
    if fields.get("stream_format") == "sse" and model in _OLDER:
        raise errors.OpenAIRefusal(
            f"stream_format 'sse' is not supported with model '{model}'.",
            param="stream_format",
            code="unsupported_value",
        )
    return fields


def _events(pieces: Sequence[bytes], tokens: int) -> list[bytes]:
    events: list[Json] = [
        {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}
        for piece in pieces
    ]
    usage = {"input_tokens": tokens, "output_tokens": 5 * tokens, "total_tokens": 6 * tokens}
    done = {"type": "speech.audio.done", "usage": usage}
    return [b"data: " + msgspec.json.encode(event) + b"\n\n" for event in (*events, done)]
