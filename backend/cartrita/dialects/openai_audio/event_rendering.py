"""Renders the events of streams: of transcripts, and of speech."""

import base64
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from cartrita.dialects import openai_error_rendering
from cartrita.domain.errors import CartritaError
from cartrita.domain.json import JsonObject
from cartrita.domain.speech import Transcript
from cartrita.kit import sse

_PIECE: Final = re.compile(r"[^.!?…]{1,200}[.!?…]*\s*|[.!?…]+\s*")
"""About a sentence of a text; nothing of the text is between two of them."""


def transcript_events(transcript: Transcript) -> Iterator[bytes]:
    """A delta for each sentence, which together are the text, and the whole text."""
    for piece in _PIECE.findall(transcript.text):
        yield _event({"type": "transcript.text.delta", "delta": piece})
    yield _event({"type": "transcript.text.done", "text": transcript.text})


def audio_event(piece: bytes) -> bytes:
    """A piece of speech."""
    return _event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})


def audio_done() -> bytes:
    """The end of speech. It counts no tokens, as what speaks does not tell them."""
    return _event({"type": "speech.audio.done"})


def error_event(error: CartritaError) -> bytes:
    """What ends a stream that has begun: SDKs raise an error of theirs."""
    return _event({"error": openai_error_rendering.fields(error)})


def _event(value: JsonObject) -> bytes:
    return sse.frame(msgspec.json.encode(value))
