"""Events of the Messages API, as JSON, for the tests of this folder."""

import json
from typing import Any

from cartrita.dialects.anthropic_messages.stream_parsing import StreamParser
from cartrita.domain.deltas import Delta, Finished


def event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def start(usage: dict[str, Any] | None = None, model: str = "claude-x") -> str:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage or {"input_tokens": 3, "output_tokens": 1},
    }
    return event("message_start", message=message)


def opened(index: int, **block: Any) -> str:
    return event("content_block_start", index=index, content_block=block)


def piece(index: int, kind: str, **fields: Any) -> str:
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def closed(index: int) -> str:
    return event("content_block_stop", index=index)


def ending(reason: str = "end_turn", sequence: str | None = None, **usage: Any) -> str:
    return event(
        "message_delta",
        delta={"stop_reason": reason, "stop_sequence": sequence},
        usage={"output_tokens": 2, **usage},
    )


STOP = event("message_stop")


def text_block(index: int, *pieces: str) -> list[str]:
    texts = [piece(index, "text_delta", text=text) for text in pieces]
    return [opened(index, type="text", text=""), *texts, closed(index)]


def parsed(*data: str) -> list[Delta]:
    parser = StreamParser("fake")
    deltas = [delta for one in data for delta in parser.feed(one)]
    return deltas + parser.end()


def finished(deltas: list[Delta]) -> Finished:
    assert isinstance(deltas[-1], Finished)
    assert not any(isinstance(delta, Finished) for delta in deltas[:-1])
    return deltas[-1]
