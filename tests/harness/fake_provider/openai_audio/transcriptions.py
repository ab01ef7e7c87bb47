"""Transcriptions: the words of a script, spread evenly over the recording, or put into English."""

import hashlib
import math
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from tests.harness.fake_provider import words
from tests.harness.fake_provider.content import Question
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.openai import errors, limits
from tests.harness.fake_provider.openai.words import OpenAIWords
from tests.harness.fake_provider.openai_audio import forms, sounds
from tests.harness.fake_provider.openai_audio.answer import EVENTS, JSON, AudioAnswer
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.shape_checks import Shapes
from tests.harness.fake_provider.steps import Steps

Json = dict[str, Any]
TRANSLATIONS = "/v1/audio/translations"
MODELS = (
    "whisper-1",
    "gpt-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
)
_ENDINGS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
_MOST_BYTES = 25 << 20
_SHORTEST_S = 0.1
_SEGMENT = 5
_REQUEST = "TranscriptionCreateParamsNonStreaming"
_TRANSLATION = "TranslationCreateParams"
_TRANSLATORS = ("whisper-1",)
_SHAPES = Shapes("openai_audio", OpenAIWords(), {"temperature": limits.decimal(0, 1)})
_LISTS = ("include", "keywords", "languages", "timestamp_granularities")
_TEXT = "text/plain; charset=utf-8"


def transcribe(call: Call) -> Steps:
    """Return what to do on the socket; raises Refusal."""
    return _heard(call, _REQUEST, MODELS)


def translate(call: Call) -> Steps:
    """The same, of which one model makes English."""
    return _heard(call, _TRANSLATION, _TRANSLATORS)


def _heard(call: Call, request: str, own: Sequence[str]) -> Steps:
    form = forms.read(call.request)
    fields = _fields(form.fields, request)
    if "file" not in form.files:
        raise errors.missing("file")
    model = cast("str", fields["model"])
    _check_model(model, (*own, *call.service.selector.models))
    _check_together(fields, model)
    length = _length(form.files["file"])
    asked = Question(cast("str", fields.get("prompt", "")))
    known = model if model in call.service.selector.models else "fake"
    script = call.exchange.script = call.service.selector.choose(call.path, known, asked)
    said = _said(script, form.files["file"].data, asked.prompt, call.service.seed)
    return _answer(call, script, fields, model, said, length)


def _fields(given: Sequence[tuple[str, str]], request: str) -> Json:
    """The fields as values of their types; raises the Refusal of those that are not."""
    fields: Json = {}
    for name, value in given:
        base = name.removesuffix("[]")
        if base in _LISTS:
            fields.setdefault(base, []).append(value)
        else:
            fields[name] = _typed(name, value)
    known = _SHAPES.fields(request)
    if unknown := [name for name in fields if name not in known]:
        raise errors.unrecognized(unknown)
    if not fields.get("model"):
        raise errors.OpenAIRefusal("you must provide a model parameter")
    _SHAPES.check(request, {**fields, "file": ""})
    return fields


def _typed(name: str, value: str) -> object:
    if name == "stream":
        return {"true": True, "false": False}.get(value.lower(), value)
    if name == "temperature":
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _check_model(model: str, known: Sequence[str]) -> None:
    if model not in known:
        raise errors.no_such_model(model)


def _check_together(fields: Json, model: str) -> None:
    """Raise the Refusal of fields that do not go together, or not with this model."""
    wanted = fields.get("response_format", "json")
    newer = model.startswith("gpt-")
    taken = ("json", "text", "diarized_json") if model.endswith("-diarize") else ("json", "text")
    if (newer and wanted not in taken) or (not newer and wanted == "diarized_json"):
        raise errors.OpenAIRefusal(
            f"response_format '{wanted}' is not compatible with model '{model}'. Use 'json' or "
            "'text' instead.",
            param="response_format",
            code="unsupported_value",
        )
    if "timestamp_granularities" in fields and wanted != "verbose_json":
        raise errors.OpenAIRefusal(
            "timestamp_granularities is only supported with response_format 'verbose_json'.",
            param="timestamp_granularities",
        )
    if "include" in fields and (not newer or wanted != "json"):
        raise errors.OpenAIRefusal(
            f"logprobs are not supported with model '{model}' and response_format '{wanted}'.",
            param="include",
        )
    language = fields.get("language", "en")
    if len(language) not in (2, 3) or not language.islower():
        raise errors.OpenAIRefusal(
            f"Invalid language '{language}'. Language parameter must be specified in ISO-639-1 "
            "format.",
            param="language",
            code="invalid_language_format",
        )


def _length(file: forms.File) -> float:
    """How long the recording is; raises the Refusal of one that is too long, or none."""
    if len(file.data) > _MOST_BYTES:
        raise errors.OpenAIRefusal(
            f"Maximum content size limit ({_MOST_BYTES}) exceeded ({len(file.data)} bytes read)",
            status=413,
        )
    if file.name.rpartition(".")[2].lower() not in _ENDINGS:
        raise errors.OpenAIRefusal(
            f"Unrecognized file format. Supported formats: {list(_ENDINGS)}", param="file"
        )
    length = sounds.seconds(file.data)
    if length is None:
        raise errors.OpenAIRefusal(
            "Audio file might be corrupted or unsupported", param="file", code="invalid_value"
        )
    if length < _SHORTEST_S:
        raise errors.OpenAIRefusal(
            "Audio file is too short. Minimum audio length is 0.1 seconds.",
            param="file",
            code="audio_too_short",
        )
    return length


def _said(script: Script, data: bytes, prompt: str, seed: int) -> str:
    if script.text is not None:
        return script.text
    if script.echo:
        return prompt
    key = f"{seed}:{hashlib.sha256(data).hexdigest()}"
    return words.draw(script.words, key if script.seed is None else f"script:{script.seed}")


def _answer(
    call: Call, script: Script, fields: Json, model: str, said: str, length: float
) -> Steps:
    wanted = fields.get("response_format", "json")
    if fields.get("stream") and model != "whisper-1":
        return AudioAnswer(call, script, EVENTS, _events(said)).steps()
    if wanted == "verbose_json":
        task = "translate" if call.path == TRANSLATIONS else "transcribe"
        body = msgspec.json.encode({**_verbose(fields, said, length), "task": task})
        return AudioAnswer(call, script, JSON, [body], whole=True).steps()
    if wanted == "json":
        document: Json = {"text": said}
        if script.usage and call.path != TRANSLATIONS:
            document["usage"] = _usage(model, said, length)
        return AudioAnswer(call, script, JSON, [msgspec.json.encode(document)], whole=True).steps()
    text = _subtitles(wanted, said, length) if wanted in ("srt", "vtt") else f"{said}\n"
    return AudioAnswer(call, script, _TEXT, [text.encode()], whole=True).steps()


def _usage(model: str, said: str, length: float) -> Json:
    if not model.startswith("gpt-"):
        return {"type": "duration", "seconds": math.ceil(length)}
    audio, written = math.ceil(length * 10), words.count(said)
    return {
        "type": "tokens",
        "input_tokens": audio,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        "output_tokens": written,
        "total_tokens": audio + written,
    }


def _events(said: str) -> list[bytes]:
    deltas: list[Json] = [
        {"type": "transcript.text.delta", "delta": token} for token in words.tokens(said)
    ]
    done = {"type": "transcript.text.done", "text": said}
    return [b"data: " + msgspec.json.encode(event) + b"\n\n" for event in (*deltas, done)]


def timed(said: str, length: float) -> list[tuple[str, float, float]]:
    """Each word, and when it is said."""
    found = said.split()
    each = length / max(len(found), 1)
    return [(word, round(at * each, 2), round((at + 1) * each, 2)) for at, word in enumerate(found)]


def _verbose(fields: Json, said: str, length: float) -> Json:
    granularities = fields.get("timestamp_granularities", ["segment"])
    document: Json = {
        "language": "english",
        "duration": length,
        "text": said,
        "usage": {"type": "duration", "seconds": math.ceil(length)},
    }
    if "word" in granularities:
        document["words"] = [
            {"word": word, "start": start, "end": end} for word, start, end in timed(said, length)
        ]
    if "segment" in granularities:
        document["segments"] = [
            {
                "id": number,
                "seek": 0,
                "start": start,
                "end": end,
                "text": f" {text}",
                "tokens": [50364, 50664],
                "temperature": fields.get("temperature", 0.0),
                "avg_logprob": -0.25,
                "compression_ratio": 1.2,
                "no_speech_prob": 0.01,
            }
            for number, (text, start, end) in enumerate(_segments(said, length))
        ]
    return document


def _segments(said: str, length: float) -> list[tuple[str, float, float]]:
    found = timed(said, length)
    groups = [found[at : at + _SEGMENT] for at in range(0, len(found), _SEGMENT)]
    return [(" ".join(word for word, _, _ in each), each[0][1], each[-1][2]) for each in groups]


def _subtitles(wanted: str, said: str, length: float) -> str:
    point = "," if wanted == "srt" else "."
    shown = "" if wanted == "srt" else "WEBVTT\n\n"
    for number, (text, start, end) in enumerate(_segments(said, length), 1):
        shown += f"{number}\n" if wanted == "srt" else ""
        shown += f"{_clock(start, point)} --> {_clock(end, point)}\n{text}\n\n"
    return shown


def _clock(at: float, point: str) -> str:
    whole, milliseconds = divmod(round(at * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"
