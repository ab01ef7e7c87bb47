"""Anthropic's Python client on messages, directly and through Cartrita in three directions."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_tool
from anthropic.types import Message, MessageParam, ToolParam
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fake_provider.timing_faults import CutOff
from tests.sdks.targets import Target

DIALECT = "anthropic_messages"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJg"
    "gg=="
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n"
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "Get the current weather in a location",
    "input_schema": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
    },
}
CALLS = (
    ToolCall(name="get_weather", arguments={"location": "Tokyo"}),
    ToolCall(name="get_weather", arguments={"location": 'Köln "am Rhein"'}),
)


@pytest.fixture
def client(target: Target) -> Iterator[Anthropic]:
    with Anthropic(base_url=target.root_url, api_key=target.key, max_retries=0) as made:
        yield made


def asking(text: str = "Hello", script: Script | None = None) -> list[MessageParam]:
    return [{"role": "user", "content": text + (directive(script) if script else "")}]


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def test_a_message(client: Anthropic, target: Target) -> None:
    message = client.messages.create(
        model=target.model,
        max_tokens=100,
        messages=asking(script=Script(text="Hello, heliotrope.")),
    )
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert message.id
    assert text_of(message) == "Hello, heliotrope."
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("other", [None, "fake-20261128"])
def test_the_model_has_the_name_that_was_asked_for_or_another_of_the_provider(
    client: Anthropic, target: Target, streamed: bool, other: str | None
) -> None:
    messages = asking(script=Script(text="Hello.", answered_as=other))
    if streamed:
        with client.messages.stream(
            model=target.model, max_tokens=100, messages=messages
        ) as stream:
            message = stream.get_final_message()
    else:
        message = client.messages.create(model=target.model, max_tokens=100, messages=messages)
    assert message.model == (other or target.model)


@pytest.mark.parametrize("key", [None, "a-refusal"])
def test_a_refusal_is_why_it_stopped(client: Anthropic, target: Target, key: str | None) -> None:
    message = client.messages.create(
        model=target.model,
        max_tokens=100,
        messages=asking(script=Script(refusal="I can't help with that.")),
        extra_headers={"Idempotency-Key": f"{key} {target.name}"} if key else {},
    )
    assert message.stop_reason == "refusal"


@pytest.mark.parametrize("streamed", [False, True])
def test_the_tool_runner_calls_functions(client: Anthropic, target: Target, streamed: bool) -> None:
    asked: list[str] = []

    @beta_tool
    def get_weather(location: str) -> str:
        """The weather in a location.

        Args:
            location: where it is.
        """
        asked.append(location)
        return "Sunny"

    call = ToolCall(name="get_weather", arguments={"location": "Tokyo"})
    prompt = f"Weather? {target.name} {streamed}" + directive(
        Script(tool_calls=(call,)), Script(text="It is sunny.")
    )
    runner = client.beta.messages.tool_runner(
        model=target.model,
        max_tokens=100,
        messages=[{"role": "user", "content": prompt}],
        tools=[get_weather],
        stream=streamed,
    )
    message = runner.until_done()
    assert [block.text for block in message.content if block.type == "text"] == ["It is sunny."]
    assert asked == ["Tokyo"]


def test_a_thread_is_held_by_the_vendor_only(client: Anthropic, target: Target) -> None:
    behavior: Any = "error" if target.direct else "continue_unthreaded"
    thread = client.beta.messages.thread(
        model=target.model, max_tokens=100, unsupported_request_behavior=behavior
    )
    for text in ("One.", "Two."):
        script = Script(text=text)
        message = thread.send({"role": "user", "content": "Hello" + directive(script)})
        assert [block.text for block in message.content if block.type == "text"] == [text]
    assert (thread.previous_message_id is not None) is target.direct
    if not target.direct:
        refused: dict[str, Any] = {"thread": {"type": "create"}}
        with pytest.raises(anthropic.BadRequestError) as error:
            client.messages.create(
                model=target.model, max_tokens=9, messages=asking(), extra_body=refused
            )
        body: Any = error.value.body
        assert body["error"]["details"] == {"error_code": "thread_unsupported_request"}


def test_a_stream_is_the_same_message(client: Anthropic, target: Target) -> None:
    with client.messages.stream(
        model=target.model, max_tokens=100, messages=asking(script=Script(words=40))
    ) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert len(text.split()) == 40
    assert text_of(message) == text
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0


def test_events_come_in_order(client: Anthropic, target: Target) -> None:
    stream = client.messages.create(
        model=target.model, max_tokens=100, messages=asking(), stream=True
    )
    kinds = [event.type for event in stream]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1


async def test_the_asynchronous_client(target: Target) -> None:
    async with AsyncAnthropic(
        base_url=target.root_url, api_key=target.key, max_retries=0
    ) as client:
        message = await client.messages.create(
            model=target.model, max_tokens=50, messages=asking(script=Script(text="Hi."))
        )
    assert text_of(message) == "Hi."


@pytest.mark.parametrize("streamed", [False, True])
def test_parallel_tool_use_and_its_results(
    client: Anthropic, target: Target, streamed: bool
) -> None:
    given: dict[str, Any] = {
        "model": target.model,
        "max_tokens": 200,
        "messages": asking(script=Script(tool_calls=CALLS)),
        "tools": [WEATHER],
    }
    if streamed:
        with client.messages.stream(**given) as stream:
            message: Any = stream.get_final_message()
    else:
        message = client.messages.create(**given)
    assert message.stop_reason == "tool_use"
    calls = [block for block in message.content if block.type == "tool_use"]
    assert [call.name for call in calls] == ["get_weather"] * 2
    assert [call.input["location"] for call in calls] == ["Tokyo", 'Köln "am Rhein"']
    results: list[Any] = [
        {"type": "tool_result", "tool_use_id": calls[0].id, "content": "sunny"},
        {
            "type": "tool_result",
            "tool_use_id": calls[1].id,
            "is_error": True,
            "content": [
                {"type": "text", "text": "see the picture"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                },
            ],
        },
    ]
    given["messages"] = [
        *given["messages"],
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": results},
    ]
    again: Any = client.messages.create(**given)
    assert again.stop_reason == "end_turn"
    assert text_of(again)


def test_tool_choice(client: Anthropic, target: Target) -> None:
    message = client.messages.create(
        model=target.model,
        max_tokens=200,
        messages=asking(script=Script(tool_calls=CALLS[:1])),
        tools=[WEATHER],
        tool_choice={"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True},
    )
    [call] = [block for block in message.content if block.type == "tool_use"]
    assert call.input == {"location": "Tokyo"}


def test_everything_that_can_be_said_in_messages(client: Anthropic, target: Target) -> None:
    message = client.messages.create(
        model=target.model,
        max_tokens=100,
        system=[
            {"type": "text", "text": "Be brief."},
            {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}},
        ],
        messages=[
            {"role": "user", "content": "What is this?"},
            {"role": "assistant", "content": [{"type": "text", "text": "Show it to me."}]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                    },
                    {
                        "type": "document",
                        "source": {
                            "type": "base64",
                            "media_type": "application/pdf",
                            "data": base64.b64encode(PDF).decode(),
                        },
                        "title": "A page",
                    },
                    {"type": "text", "text": "Look" + directive(Script(text="A red dot."))},
                ],
            },
        ],
        stop_sequences=["END"],
        metadata={"user_id": "ann"},
        extra_body={"temperature": 0.3, "top_k": 40},  # the API takes them, the client no more
    )
    assert text_of(message) == "A red dot."


def test_thinking_keeps_its_signature_over_turns(client: Anthropic, target: Target) -> None:
    if target.upstream != DIALECT:
        pytest.skip("only this upstream signs what it thinks")
    given: dict[str, Any] = {
        "model": target.model,
        "max_tokens": 3000,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [WEATHER],
    }
    messages: list[Any] = asking(script=Script(reasoning="Let me look.", tool_calls=CALLS[:1]))
    with client.messages.stream(**given, messages=messages) as stream:
        message = stream.get_final_message()
    [thinking] = [block for block in message.content if block.type == "thinking"]
    assert thinking.thinking == "Let me look."
    assert thinking.signature
    [call] = [block for block in message.content if block.type == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    # The upstream refuses a signature that it did not make, for a text that it did not sign.
    messages += [
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": [result]},
    ]
    again = client.messages.create(**given, messages=messages)
    assert again.stop_reason == "end_turn"


def test_length_and_stop_sequences(client: Anthropic, target: Target) -> None:
    cut = client.messages.create(
        model=target.model, max_tokens=5, messages=asking(script=Script(words=50))
    )
    assert cut.stop_reason == "max_tokens"
    stopped = client.messages.create(
        model=target.model,
        max_tokens=50,
        messages=asking(script=Script(text="One END two")),
        stop_sequences=["END"],
    )
    assert text_of(stopped).strip() in ("One", "One END two")


def test_counting_tokens(client: Anthropic, target: Target) -> None:
    count = client.messages.count_tokens(
        model=target.model, messages=asking("How many tokens are these?"), tools=[WEATHER]
    )
    assert count.input_tokens > 5


def test_a_model_that_does_not_exist(client: Anthropic, target: Target) -> None:
    model = "no-such-model" if target.direct else f"{target.model.split('/')[0]}/no-such-model"
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(model=model, max_tokens=5, messages=asking())
    assert error_type(caught.value) == "not_found_error"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "role"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}],
                    }
                ]
            },
            "tool_result",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "image",
                                "source": {
                                    "type": "base64",
                                    "media_type": "image/png",
                                    "data": "not base64!",
                                },
                            }
                        ],
                    }
                ]
            },
            "base64",
        ),
        ({"tools": [{"name": "t", "input_schema": {"type": "string"}}]}, "input_schema"),
    ],
)
def test_bad_requests_are_named(
    client: Anthropic, target: Target, change: dict[str, Any], named: str, streamed: bool
) -> None:
    given = {"model": target.model, "max_tokens": 9, "messages": asking(), **change}
    body = {name: value for name, value in given.items() if value is not None}
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.post("/v1/messages", cast_to=object, body={**body, "stream": streamed})
    assert error_type(caught.value) == "invalid_request_error"
    assert named in str(caught.value)


def test_a_wrong_key(target: Target) -> None:
    with (
        Anthropic(base_url=target.root_url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        client.messages.create(model=target.model, max_tokens=5, messages=asking())
    assert error_type(caught.value) == "authentication_error"


@pytest.mark.parametrize("after", [0, 1, 7])
def test_a_cut_upstream_is_an_error_or_goes_on_but_never_half_an_answer(
    client: Anthropic, target: Target, after: int
) -> None:
    words = " ".join(f"word{number}" for number in range(30))
    script = Script(text=words, faults=(CutOff(after_tokens=after),))
    said, reasons = "", set[str | None]()
    with suppress(anthropic.APIError, httpx2.HTTPError):
        for event in client.messages.create(
            model=target.model, max_tokens=200, messages=asking(script=script), stream=True
        ):
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                said += event.delta.text
            if event.type == "message_delta":
                reasons.add(event.delta.stop_reason)
    assert words.startswith(said)
    assert "end_turn" not in reasons or said == words


def test_models(client: Anthropic, target: Target) -> None:
    assert client.models.retrieve(target.model).id == target.model
    assert [model.type for model in client.models.list(limit=1)][:1] == ["model"]


def error_type(error: anthropic.APIStatusError) -> str:
    body = error.body
    assert isinstance(body, dict)
    assert body["type"] == "error"
    return body["error"]["type"]
