"""Words as Deepgram writes them: alternatives, utterances, metadata."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.harness.deepgram.ear import Word
from tests.harness.deepgram.refusals import REQUEST_ID

MODEL_UUID: Final = "40bd3654-e622-47c4-a111-63a61b23bfe8"
CREATED: Final = "2026-11-29T19:00:00.000Z"


def alternative(words: Sequence[Word], asked: Mapping[str, str]) -> dict[str, Any]:
    """One alternative; formatted where that was asked for."""
    formatted = "true" in (asked.get("smart_format"), asked.get("punctuate"))
    told = [_word(word, number, formatted) for number, word in enumerate(words)]
    texts = [word.text if formatted else _plain(word.text) for word in words]
    found: dict[str, Any] = {
        "transcript": " ".join(texts),
        "confidence": round(sum(one["confidence"] for one in told) / len(told), 4) if told else 0.0,
        "words": told,
    }
    if asked.get("language") == "multi" and words:
        found["languages"] = ["en"]
    return found


def utterances(words: Sequence[Word], asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """The words, parted at pauses of 0.8 s."""
    parts: list[list[Word]] = []
    for word in words:
        if parts and word.start - parts[-1][-1].end < float(asked.get("utt_split", "0.8")):
            parts[-1].append(word)
        else:
            parts.append([word])
    return [
        {
            "start": part[0].start,
            "end": part[-1].end,
            "channel": 0,
            "id": f"utterance-{number}",
            **alternative(part, asked),
        }
        for number, part in enumerate(parts)
    ]


def metadata(data: bytes, duration: float, channels: int) -> dict[str, Any]:
    """What a recording, or a stream, was."""
    return {
        "transaction_key": "deprecated",
        "request_id": REQUEST_ID,
        "sha256": hashlib.sha256(data).hexdigest(),
        "created": CREATED,
        "duration": round(duration, 4),
        "channels": channels,
    }


def model_info(model: str) -> dict[str, str]:
    """The model under its own name."""
    return {"name": f"general-{model}", "version": "2026-01-01.0", "arch": model}


def _word(word: Word, number: int, formatted: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "word": _plain(word.text),
        "start": word.start,
        "end": word.end,
        "confidence": round(0.99 - number % 7 / 100, 2),
    }
    return {**told, "punctuated_word": word.text} if formatted else told


def _plain(text: str) -> str:
    return re.sub(r"[^\w']", "", text).lower()
