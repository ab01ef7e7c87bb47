"""The official clients read streams whose upstream sends events that they do not expect.

Those of other types are errors; what only comes in another order is mended or passed on.
"""

import json
from typing import Any

import anthropic
import openai
import pytest
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.server import Server
from tests.sdks import targets
from tests.sdks.test_malformed_events import Ask, chat, messages, question

MESSAGE: Any = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
PART: Any = {"type": "output_text", "text": "", "annotations": []}
PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
CREATED = {"type": "response.created", "response": {"id": "r", "output": [], "model": "m"}}
ADDED = {"type": "response.output_item.added", "output_index": 0, "item": MESSAGE}
DELTA = {"type": "response.output_text.delta", **PLACE, "delta": "Hi", "logprobs": []}
PART_ADDED = {"type": "response.content_part.added", **PLACE, "part": PART}
ENDED: Any = {"id": "r", "status": "completed", "output": [], "model": "m"}
COMPLETED = {"type": "response.completed", "response": ENDED}
DONE = {
    "type": "response.output_item.done",
    "output_index": 0,
    "item": {**MESSAGE, "content": [{**PART, "text": "Hi"}]},
}
START = {
    "type": "message_start",
    "message": {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "c",
        "content": [],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
PIECE = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "text_delta", "text": "Hi"},
}
STOPPED = {"type": "content_block_stop", "index": 0}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}
STOP = {"type": "message_stop"}
CHUNK: Any = {
    "id": "c",
    "object": "chat.completion.chunk",
    "created": 5,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}],
}


def sent(*events: dict[str, Any], named: bool = True, number: str = "5") -> Script:
    lines = [
        (f"event: {each['type']}\n" if named and "type" in each else "")
        + f"data: {json.dumps(each)}\n\n".replace('"created": 5', f'"created": {number}')
        for each in events
    ]
    stream = ReplacedResponse(headers={"content-type": "text/event-stream"}, body="".join(lines))
    return Script(faults=(stream,))


def odd_text(text: Any) -> dict[str, Any]:
    return {**CHUNK, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


@pytest.mark.parametrize(
    ("ask", "upstream", "script"),
    [
        (chat, "openai_chat", sent(odd_text(5))),
        (chat, "openai_chat", sent(CHUNK, number="9" * 6_000)),
    ],
)
def test_a_chunk_of_other_types_is_an_error_of_the_upstream(
    ask: Ask, upstream: str, script: Script, server: Server
) -> None:
    with pytest.raises((openai.InternalServerError, anthropic.InternalServerError)) as failure:
        ask(server, upstream, question(script.faults[0]))
    assert failure.value.status_code == 502


@pytest.mark.parametrize(
    ("ask", "upstream", "script"),
    [
        (chat, "openai_chat", sent(CHUNK, CHUNK, odd_text(5))),
        (chat, "openai_chat", sent(CHUNK, CHUNK, {**CHUNK, "created": 5, "x": 5})),
    ],
)
def test_an_odd_chunk_after_plain_ones_ends_the_stream_with_an_error(
    ask: Ask, upstream: str, script: Script, server: Server
) -> None:
    with pytest.raises((openai.APIError, anthropic.APIError)):
        ask(server, upstream, question(script.faults[0]))


@pytest.mark.parametrize("named", [True, False])
def test_events_without_names_are_read_too(named: bool, server: Server) -> None:
    script = sent(START, BLOCK, PIECE, STOPPED, END, STOP, named=named)
    assert messages(server, "anthropic_messages", question(script.faults[0])) == "Hi"


def test_an_end_without_output_and_usage_is_estimated(server: Server) -> None:
    script = sent(CREATED, ADDED, PART_ADDED, DELTA, DONE, COMPLETED)
    target = targets.through("openai_responses", server)
    with (
        openai.OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as client,
        client.responses.stream(
            model=target.model, input=question(script.faults[0]), store=False
        ) as stream,
    ):
        response = stream.get_final_response()
    assert response.usage is not None
    assert min(response.usage.input_tokens, response.usage.output_tokens) > 0
    assert response.to_dict()["cartrita"] == {"usage": "estimated;bound=0.35"}
