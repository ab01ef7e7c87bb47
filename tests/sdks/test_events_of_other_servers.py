"""The official clients read the events of other servers as well through Cartrita as without it.

What is tested are streams of vLLM, LiteLLM and bridges, as their users reported them.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeAlias

import pytest
from anthropic import Anthropic
from openai import OpenAI
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.server import Server
from tests.sdks import targets
from tests.sdks.targets import Target
from tests.sdks.test_malformed_events import question

Events: TypeAlias = list[dict[str, Any]]


def response(response_id: str = "resp_1", **fields: Any) -> dict[str, Any]:
    return {"id": response_id, "object": "response", "model": "m", "output": [], **fields}


def added(item: Any, place: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": place, "item": item}


def done(item: Any, place: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": place, "item": item}


def part(place: int = 0, content: int = 0) -> dict[str, Any]:
    at = {"item_id": "msg_1", "output_index": place, "content_index": content}
    of = {"type": "output_text", "text": "", "annotations": []}
    return {"type": "response.content_part.added", **at, "part": of}


def text(place: int = 0, content: int = 0) -> dict[str, Any]:
    at = {"item_id": "msg_1", "output_index": place, "content_index": content}
    return {"type": "response.output_text.delta", **at, "delta": "Hi", "logprobs": []}


def arguments(piece: str = "{}") -> dict[str, Any]:
    kind = "response.function_call_arguments.delta"
    return {"type": kind, "output_index": 0, "item_id": "fc_1", "delta": piece}


def ended(*output: Any, response_id: str = "resp_1") -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    told = response(response_id, status="completed", output=list(output), usage=usage)
    return {"type": "response.completed", "response": told}


CREATED = {"type": "response.created", "response": response()}
MESSAGE: Any = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
WHOLE: Any = {**MESSAGE, "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}
REASONING: Any = {"id": "rs_1", "type": "reasoning", "summary": []}
CALL: Any = {"id": "fc_1", "type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
CALLED: Any = {**CALL, "arguments": "{}"}
CUSTOM: Any = {"id": "ct", "type": "custom_tool_call", "call_id": "c", "name": "f", "input": ""}
THOUGHT: Events = [CREATED, added(REASONING), done(REASONING)]

_ENDING_ALIKE: dict[str, Events] = {
    "content is counted on": [*THOUGHT, added(MESSAGE, 1), part(1, 1), text(1, 1), done(WHOLE, 1)],
    "text after reasoning is not announced": [*THOUGHT, text(1), done(WHOLE, 1)],
    "text comes first": [text()],
    "no part is announced": [CREATED, added(MESSAGE), text(), done(WHOLE)],
    "an item is null": [CREATED, added(None), added(MESSAGE, 1), part(1), text(1), done(WHOLE, 1)],
    "the item has another id": [
        *(CREATED, added(MESSAGE), part(), text()),
        done({**WHOLE, "id": "msg_2"}),
    ],
}
MENDED_RESPONSES: dict[str, Events] = {
    **{name: [*each, ended(WHOLE)] for name, each in _ENDING_ALIKE.items()},
    "the response has another id": [
        *(CREATED, added(MESSAGE), part(), text(), done(WHOLE)),
        ended(WHOLE, response_id="resp_2"),
    ],
    "a call has no id": [
        *(CREATED, added(CALL), arguments()),
        *(done({**CALLED, "id": None, "item_id": "fc_1"}), ended()),
    ],
}
PASSED_RESPONSES: dict[str, Events] = {
    "a call has another call_id": [
        *(CREATED, added(CALL), arguments()),
        *(done({**CALLED, "call_id": "fc_2"}), ended()),
    ],
    "the item that ends is another one": [
        *(CREATED, added(MESSAGE), part(), text()),
        ended({**WHOLE, "id": "msg_9"}),
    ],
    "arguments of a custom tool": [
        *(CREATED, added(CUSTOM), arguments("x")),
        *(done({**CUSTOM, "input": "x"}), ended()),
    ],
    "text within reasoning": [*THOUGHT, text(), ended(WHOLE)],
}


def start(**fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "c", "usage": usage}
    return {"type": "message_start", "message": {**message, **fields}}


def opened(index: int, kind: str = "text", **fields: Any) -> dict[str, Any]:
    block = {"type": kind, **fields}
    return {"type": "content_block_start", "index": index, "content_block": block}


def piece(index: int, kind: str = "text") -> dict[str, Any]:
    delta = {"type": f"{kind}_delta", kind: "Hi"}
    return {"type": "content_block_delta", "index": index, "delta": delta}


def closed(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def block(index: int) -> Events:
    return [opened(index, text=""), piece(index), closed(index)]


START = start(content=[])
ENDING: Events = [
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
]
MESSAGES: dict[str, Events] = {
    "an index is left out": [START, *block(0), *block(2)],
    "the first index is 1": [START, *block(1), *block(2)],
    "a message without content": [start(), *block(0)],
    "a message whose content is null": [start(content=None), *block(0)],
    "a message begins twice": [START, START, *block(0)],
    "no message begins": block(0),
    "text without text": [START, opened(0), piece(0), closed(0)],
    "thinking without thinking": [
        *(START, opened(0, "thinking"), piece(0, "thinking"), closed(0)),
        *block(1),
    ],
    "no block begins": [START, piece(0), piece(0), closed(0)],
    "a block that has not begun ends": [START, *block(0), closed(1)],
    "an index is negative": [START, opened(0, text=""), piece(-1), closed(0)],
}


def asked(events: Events) -> str:
    lines = (f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events)
    headers = {"content-type": "text/event-stream"}
    return question(ReplacedResponse(headers=headers, body="".join(lines)))


@contextmanager
def openai_client(target: Target) -> Generator[OpenAI]:
    with OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as client:
        yield client


def numbered(events: Events) -> Events:
    return [{**each, "sequence_number": number} for number, each in enumerate(events)]


def read_response(target: Target, events: Events) -> tuple[str, str]:
    """The pieces of the answer, and the text of the response that ends it."""
    with openai_client(target) as client:
        stream = client.responses.create(
            model=target.model, input=asked(numbered(events)), store=False, stream=True
        )
        said, final = "", "none"
        for event in stream:
            if event.type == "response.completed":
                final = event.response.output_text
            said += getattr(event, "delta", "")
        return said, final


def read_message(target: Target, events: Events) -> str:
    with Anthropic(base_url=target.root_url, api_key=target.key, max_retries=0) as client:
        stream = client.messages.create(
            model=target.model,
            max_tokens=100,
            messages=[{"role": "user", "content": asked(events)}],
            stream=True,
        )
        pieces = (each.delta for each in stream if each.type == "content_block_delta")
        return "".join(delta.text if delta.type == "text_delta" else "." for delta in pieces)


@pytest.mark.parametrize("events", [*MENDED_RESPONSES.values(), *PASSED_RESPONSES.values()])
def test_responses_are_read_alike(events: Events, server: Server, provider: FakeProvider) -> None:
    told = read_response(targets.through("openai_responses", server), events)
    assert told == read_response(targets.direct("openai_responses", provider), events)
    assert told[0] in ("Hi", "{}", "x")


@pytest.mark.parametrize("events", MENDED_RESPONSES.values(), ids=MENDED_RESPONSES)
def test_responses_that_are_mended_are_read_by_the_helper(events: Events, server: Server) -> None:
    target = targets.through("openai_responses", server)
    with (
        openai_client(target) as client,
        client.responses.stream(
            model=target.model, input=asked(numbered(events)), store=False
        ) as stream,
    ):
        said = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == said


@pytest.mark.parametrize("events", MESSAGES.values(), ids=MESSAGES)
def test_messages_are_read_alike(events: Events, server: Server, provider: FakeProvider) -> None:
    events = [*events, *ENDING]
    told = read_message(targets.through("anthropic_messages", server), events)
    assert told == read_message(targets.direct("anthropic_messages", provider), events)
    assert "Hi" in told


@pytest.mark.parametrize("events", MESSAGES.values(), ids=MESSAGES)
def test_messages_that_are_mended_are_read_by_the_helper(events: Events, server: Server) -> None:
    target = targets.through("anthropic_messages", server)
    content = asked([*events, *ENDING])
    with (
        Anthropic(base_url=target.root_url, api_key=target.key, max_retries=0) as client,
        client.messages.stream(
            model=target.model, max_tokens=100, messages=[{"role": "user", "content": content}]
        ) as stream,
    ):
        said = "".join(stream.text_stream)
        blocks = stream.get_final_message().content
    assert said == "".join(block.text for block in blocks if block.type == "text")
