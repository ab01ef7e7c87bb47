"""OpenAI's Python client on responses, through Cartrita over an upstream of each dialect."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.responses import (
    FunctionToolParam,
    ResponseCompletedEvent,
    ResponseCreatedEvent,
)
from pydantic import BaseModel
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.sdks.targets import Target

DIALECT = "openai_responses"
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAF"
    "BQIAX8jx0gAAAABJRU5ErkJggg=="
)
WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "strict": False,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
CALLS = (
    ToolCall(name="get_weather", arguments={"city": "Tokyo"}),
    ToolCall(name="get_weather", arguments={"city": 'Köln "am Rhein"'}),
)


@pytest.fixture
def client(target: Target) -> Iterator[OpenAI]:
    with OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as made:
        yield made


@pytest.fixture
def stateful(target: Target, client: OpenAI) -> OpenAI:
    """A client of a server that stores responses: the scripted upstream keeps nothing."""
    if target.direct:
        pytest.skip("the scripted upstream stores no responses")
    return client


def asking(text: str = "Hello", script: Script | None = None) -> str:
    return text + (directive(script) if script else "")


@pytest.mark.parametrize("store", [False, True])
def test_a_response(client: OpenAI, target: Target, store: bool) -> None:
    response = client.responses.create(
        model=target.model, input=asking(script=Script(text="Hello, heliotrope.")), store=store
    )
    assert (response.object, response.status) == ("response", "completed")
    assert response.output_text == "Hello, heliotrope."
    assert response.usage is not None
    assert response.usage.input_tokens > 0
    assert response.usage.output_tokens > 0


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("store", [False, True])
def test_a_refusal_is_no_text(client: OpenAI, target: Target, store: bool, streamed: bool) -> None:
    asked = asking(script=Script(refusal="I can't help with that."))
    if streamed:
        with client.responses.stream(model=target.model, input=asked, store=store) as stream:
            response = stream.get_final_response()
    else:
        response = client.responses.create(model=target.model, input=asked, store=store)
    [message] = response.output
    assert message.type == "message"
    [said] = message.content
    assert said.type == "refusal"
    assert said.refusal == "I can't help with that."
    assert response.status == "completed"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("other", [None, "fake-2026-11-28"])
def test_the_model_has_the_name_that_was_asked_for_or_another_of_the_provider(
    client: OpenAI, target: Target, streamed: bool, other: str | None
) -> None:
    question = asking(script=Script(text="Hello.", answered_as=other))
    told: set[str] = set()
    if streamed:
        with client.responses.stream(model=target.model, input=question, store=False) as events:
            for event in events:
                if isinstance(event, ResponseCreatedEvent | ResponseCompletedEvent):
                    told.add(event.response.model)
    else:
        response = client.responses.create(model=target.model, input=question, store=False)
        told.add(response.model)
    assert told == {other or target.model}


@pytest.mark.parametrize("store", [False, True])
def test_a_stream_is_the_same_response(client: OpenAI, target: Target, store: bool) -> None:
    with client.responses.stream(
        model=target.model, input=asking(script=Script(words=40)), store=store
    ) as stream:
        events = list(stream)
        response = stream.get_final_response()
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(set(numbers))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert response.output_text == text
    assert len(text.split()) == 40


@pytest.mark.parametrize("streamed", [False, True])
def test_parallel_function_calls_and_their_outputs(
    client: OpenAI, target: Target, streamed: bool
) -> None:
    said: list[Any] = [{"role": "user", "content": asking(script=Script(tool_calls=CALLS))}]
    given: dict[str, Any] = {"model": target.model, "tools": [WEATHER], "store": False}
    if streamed:
        with client.responses.stream(**given, input=said) as stream:
            response: Any = stream.get_final_response()
    else:
        response = client.responses.create(**given, input=said)
    calls = [item for item in response.output if item.type == "function_call"]
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Tokyo", 'Köln "am Rhein"']
    outputs: list[Any] = [
        {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        for call in calls
    ]
    items: list[Any] = [item.model_dump(exclude_none=True) for item in response.output]
    again: Any = client.responses.create(**given, input=[*said, *items, *outputs])
    assert again.output_text


class Step(BaseModel):
    """One step of a recipe."""

    title: str
    minutes: int


def test_structured_output(client: OpenAI, target: Target) -> None:
    response = client.responses.parse(
        model=target.model,
        input=asking(script=Script(text='{"title": "Boil", "minutes": 7}')),
        text_format=Step,
        store=False,
    )
    assert response.output_parsed == Step(title="Boil", minutes=7)


def test_everything_that_can_be_said_in_input(client: OpenAI, target: Target) -> None:
    response = client.responses.create(
        model=target.model,
        instructions="Be brief.",
        input=[
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": "What is this?"},
            {"role": "assistant", "content": "Show it to me."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": asking("Look", Script(text="A red dot."))},
                    {"type": "input_image", "image_url": PIXEL, "detail": "low"},
                ],
            },
        ],
        temperature=0.3,
        max_output_tokens=100,
        store=False,
    )
    assert response.output_text == "A red dot."


def test_an_incomplete_response(client: OpenAI, target: Target) -> None:
    response = client.responses.create(
        model=target.model, input=asking(script=Script(words=60)), max_output_tokens=16, store=False
    )
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def test_a_stored_response_is_kept_until_it_is_deleted(stateful: OpenAI, target: Target) -> None:
    made = stateful.responses.create(
        model=target.model, input="Remember me", metadata={"topic": "garden"}
    )
    kept = stateful.responses.retrieve(made.id)
    assert kept.output_text == made.output_text
    assert kept.metadata == {"topic": "garden"}
    [item] = stateful.responses.input_items.list(made.id).data
    assert item.type == "message"
    assert item.role == "user"
    stateful.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        stateful.responses.retrieve(made.id)


def test_a_response_continues_another(stateful: OpenAI, target: Target) -> None:
    first = stateful.responses.create(model=target.model, input="My name is Ann")
    second = stateful.responses.create(
        model=target.model,
        input=asking(script=Script(text="You are Ann.")),
        previous_response_id=first.id,
    )
    assert second.previous_response_id == first.id
    assert second.output_text == "You are Ann."
    assert second.usage is not None
    assert first.usage is not None
    assert second.usage.input_tokens > first.usage.input_tokens


def test_a_background_response_is_polled_and_its_stream_resumed(
    stateful: OpenAI, target: Target
) -> None:
    script = Script(words=30, between_tokens_s=0.01)
    stream = stateful.responses.create(
        model=target.model, input=asking(script=script), background=True, stream=True
    )
    seen: list[Any] = []
    for event in stream:
        seen.append(event)
        if event.type == "response.output_text.delta":
            break
    stream.close()
    rest = list(
        stateful.responses.retrieve(
            seen[0].response.id, stream=True, starting_after=seen[-1].sequence_number
        )
    )
    assert rest[-1].type == "response.completed"
    numbers = [event.sequence_number for event in [*seen, *rest]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    deltas = [e.delta for e in [*seen, *rest] if e.type == "response.output_text.delta"]
    assert "".join(deltas) == rest[-1].response.output_text


def test_a_background_response_is_cancelled(stateful: OpenAI, target: Target) -> None:
    script = Script(words=2000, between_tokens_s=0.05)
    made = stateful.responses.create(
        model=target.model, input=asking(script=script), background=True
    )
    assert made.status in ("queued", "in_progress")
    assert stateful.responses.cancel(made.id).status == "cancelled"


@pytest.mark.parametrize(
    ("input_", "param"),
    [
        ([{"role": "wizard", "content": "x"}], "input"),
        ([{"role": "user", "content": [{"type": "nonsense", "text": "x"}]}], "input"),
        ([{"type": "function_call_output", "call_id": "c", "output": "x"}], "input"),
    ],
)
def test_bad_requests_are_named(client: OpenAI, target: Target, input_: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=target.model, input=input_, store=False)
    assert (caught.value.param or "").startswith(param)


def test_a_conversation_holds_its_items(stateful: OpenAI, target: Target) -> None:
    conversation = stateful.conversations.create(metadata={"topic": "garden"})
    stateful.responses.create(
        model=target.model,
        input=asking(script=Script(text="It is blue.")),
        conversation=conversation.id,
    )
    items = list(stateful.conversations.items.list(conversation.id, order="asc"))
    assert [item.role for item in items if item.type == "message"] == ["user", "assistant"]
    updated = stateful.conversations.update(conversation.id, metadata={"topic": "pump"})
    assert updated.metadata == {"topic": "pump"}
    assert stateful.conversations.delete(conversation.id).deleted
