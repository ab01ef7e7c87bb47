"""OpenAI's Python client on chat completions, directly and through Cartrita in three directions."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fake_provider.timing_faults import CutOff
from tests.sdks.targets import Target

DIALECT = "openai_chat"
RED_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAF"
    "BQIAX8jx0gAAAABJRU5ErkJggg=="
)
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
CALLS = (
    ToolCall(name="get_weather", arguments={"city": "Tokyo"}, id="call_tokyo"),
    ToolCall(name="get_weather", arguments={"city": 'Köln "am Rhein"'}, id="call_koeln"),
)


@pytest.fixture
def client(target: Target) -> Iterator[OpenAI]:
    with OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as made:
        yield made


def asking(text: str = "Hello", script: Script | None = None) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text + (directive(script) if script else "")}]


def test_an_answer(client: OpenAI, target: Target) -> None:
    script = Script(text="Hello, heliotrope.")
    answer = client.chat.completions.create(model=target.model, messages=asking(script=script))
    assert answer.object == "chat.completion"
    assert answer.id
    [choice] = answer.choices
    assert (choice.index, choice.finish_reason) == (0, "stop")
    assert (choice.message.role, choice.message.content) == (
        "assistant",
        "Hello, heliotrope.",
    )
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@pytest.mark.parametrize("store", [False, True])
def test_a_refusal_is_no_content(client: OpenAI, target: Target, store: bool) -> None:
    refusal = "I can't help with that."
    messages = asking(script=Script(refusal=refusal))
    answer = client.chat.completions.create(model=target.model, messages=messages, store=store)
    [choice] = answer.choices
    assert (choice.message.content or "", choice.message.refusal) == ("", refusal)
    assert choice.finish_reason == "stop"
    with client.chat.completions.stream(
        model=target.model, messages=messages, store=store
    ) as stream:
        [choice] = stream.get_final_completion().choices
    assert (choice.message.content or "", choice.message.refusal) == ("", refusal)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("other", [None, "fake-2026-11-28"])
def test_the_model_has_the_name_that_was_asked_for_or_another_of_the_provider(
    client: OpenAI, target: Target, streamed: bool, other: str | None
) -> None:
    messages = asking(script=Script(text="Hello.", answered_as=other))
    told: set[str] = set()
    if streamed:
        stream = client.chat.completions.create(model=target.model, messages=messages, stream=True)
        told.update(chunk.model for chunk in stream)
    else:
        answer = client.chat.completions.create(model=target.model, messages=messages)
        told.add(answer.model)
    assert told == {other or target.model}


@pytest.mark.parametrize("other", [None, "fake-2026-11-28"])
def test_several_answers_have_the_same_name(
    client: OpenAI, target: Target, other: str | None
) -> None:
    messages = asking(script=Script(text="Hello.", answered_as=other))
    answer = client.chat.completions.create(model=target.model, messages=messages, n=2)
    assert len(answer.choices) == 2
    assert answer.model == (other or target.model)


def test_embeddings_have_the_name_that_was_asked_for(client: OpenAI, target: Target) -> None:
    if target.upstream != "openai_chat":
        pytest.skip("embeddings are not translated")
    answer = client.embeddings.create(model=target.model, input="Hello")
    assert answer.model == target.model


def test_a_stream_has_the_same_text_and_ends_with_its_usage(client: OpenAI, target: Target) -> None:
    chunks = list(
        client.chat.completions.create(
            model=target.model,
            messages=asking(script=Script(words=40)),
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert len(text.split()) == 40
    assert len({chunk.id for chunk in chunks}) == 1
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert [reason for reason in reasons if reason] == ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_no_usage_arrives_that_was_not_asked_for(client: OpenAI, target: Target) -> None:
    stream = client.chat.completions.create(model=target.model, messages=asking(), stream=True)
    chunks = list(stream)
    assert all(chunk.choices for chunk in chunks)
    assert [chunk.usage for chunk in chunks if chunk.usage] == []


def test_a_base_url_without_a_version(target: Target) -> None:
    if target.direct:
        pytest.skip("the vendor has it with the version only")
    with OpenAI(base_url=target.root_url, api_key=target.key, max_retries=0) as client:
        answer = client.chat.completions.create(model=target.model, messages=asking())
        assert answer.choices[0].message.content
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model=target.model, messages=[])
        assert target.model in {model.id for model in client.models.list()}


async def test_the_asynchronous_client(target: Target) -> None:
    script = Script(text="Hello there.", tokens_per_delta=1)
    async with AsyncOpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as client:
        stream = await client.chat.completions.create(
            model=target.model, messages=asking(script=script), stream=True
        )
        text = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
    assert text == "Hello there."


@pytest.mark.parametrize("streamed", [False, True])
def test_parallel_tool_calls_and_their_results(
    client: OpenAI, target: Target, streamed: bool
) -> None:
    messages = asking(script=Script(tool_calls=CALLS))
    if streamed:
        with client.chat.completions.stream(
            model=target.model, messages=messages, tools=[WEATHER]
        ) as stream:
            answer: Any = stream.get_final_completion()
    else:
        answer = client.chat.completions.create(
            model=target.model, messages=messages, tools=[WEATHER]
        )
    [choice] = answer.choices
    assert choice.finish_reason == "tool_calls"
    calls = choice.message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_weather"]
    assert [json.loads(call.function.arguments)["city"] for call in calls] == [
        "Tokyo",
        'Köln "am Rhein"',
    ]
    assert len({call.id for call in calls}) == 2
    functions = [call.function for call in calls]
    said: Any = {
        "role": "assistant",
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": function.name, "arguments": function.arguments},
            }
            for call, function in zip(calls, functions, strict=True)
        ],
    }
    results: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in calls
    ]
    again = client.chat.completions.create(
        model=target.model, messages=[*messages, said, *results], tools=[WEATHER]
    )
    assert again.choices[0].finish_reason == "stop"
    assert again.choices[0].message.content


def test_a_forced_tool(client: OpenAI, target: Target) -> None:
    answer = client.chat.completions.create(
        model=target.model,
        messages=asking(script=Script(tool_calls=CALLS[:1])),
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        parallel_tool_calls=False,
    )
    [call] = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"city": "Tokyo"}


class Step(BaseModel):
    """One step of a recipe."""

    title: str
    minutes: int


# The client writes answers out again, and knows no lists in `metadata`, which holds our receipts.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_structured_output(client: OpenAI, target: Target) -> None:
    script = Script(text='{"title": "Boil", "minutes": 7}')
    answer = client.chat.completions.parse(
        model=target.model, messages=asking(script=script), response_format=Step
    )
    assert answer.choices[0].message.parsed == Step(title="Boil", minutes=7)


def test_everything_that_can_be_said_in_messages(client: OpenAI, target: Target) -> None:
    answer = client.chat.completions.create(
        model=target.model,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is this?"}]},
            {"role": "assistant", "content": "Show it to me."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look" + directive(Script(text="A red dot."))},
                    {"type": "image_url", "image_url": {"url": RED_PIXEL, "detail": "low"}},
                ],
            },
        ],
        temperature=0.3,
        top_p=0.9,
        max_completion_tokens=100,
        stop=["END"],
        user="ann",
    )
    assert answer.choices[0].message.content == "A red dot."


def test_stop_and_length(client: OpenAI, target: Target) -> None:
    stopped = client.chat.completions.create(
        model=target.model, messages=asking(script=Script(text="One END two")), stop="END"
    )
    assert (stopped.choices[0].message.content or "").strip() in ("One", "One END two")
    cut = client.chat.completions.create(
        model=target.model, messages=asking(script=Script(words=50)), max_completion_tokens=5
    )
    assert cut.choices[0].finish_reason == "length"


def test_several_choices(client: OpenAI, target: Target) -> None:
    answer = client.chat.completions.create(model=target.model, messages=asking(), n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert all(choice.message.content for choice in answer.choices)
    stream = client.chat.completions.create(model=target.model, messages=asking(), n=2, stream=True)
    texts = ["", ""]
    for chunk in stream:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert all(texts)


def test_a_model_that_does_not_exist(client: OpenAI, target: Target) -> None:
    model = "no-such-model" if target.direct else f"{target.model.split('/')[0]}/no-such-model"
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model=model, messages=asking())
    assert caught.value.code == "model_not_found"
    assert caught.value.type == "invalid_request_error"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ([{"role": "wizard", "content": "x"}], "messages[0].role"),
        ([{"role": "tool", "tool_call_id": "c", "content": "x"}], "messages[0].role"),
        (
            [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image_url",
                            "image_url": {"url": "data:image/png;base64,bm90IGFuIGltYWdl"},
                        }
                    ],
                }
            ],
            None,
        ),
    ],
)
def test_bad_requests_are_named(
    client: OpenAI, target: Target, messages: Any, param: str | None, streamed: bool
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=target.model, messages=messages, stream=streamed)
    assert caught.value.type == "invalid_request_error"
    if param:
        assert (caught.value.param or "").startswith(param.partition("[")[0])


def test_a_wrong_key(target: Target) -> None:
    with (
        OpenAI(base_url=target.base_url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.chat.completions.create(model=target.model, messages=asking())
    assert caught.value.code == "invalid_api_key"


def test_headers_of_an_answer(client: OpenAI, target: Target) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=target.model, messages=asking(), extra_headers={"X-Request-ID": "mine-4711"}
    )
    assert raw.parse().choices
    if not target.direct:
        assert raw.headers["x-request-id"] == "mine-4711"
        assert raw.headers["x-cartrita-provider"] == target.model.partition("/")[0]


@pytest.mark.parametrize("after", [0, 1, 7])
def test_a_cut_upstream_is_an_error_or_goes_on_but_never_half_an_answer(
    client: OpenAI, target: Target, after: int
) -> None:
    words = " ".join(f"word{number}" for number in range(30))
    script = Script(text=words, faults=(CutOff(after_tokens=after),))
    said, reasons = "", set[str | None]()
    with suppress(openai.APIError, httpx2.HTTPError):
        for chunk in client.chat.completions.create(
            model=target.model, messages=asking(script=script), stream=True
        ):
            for choice in chunk.choices:
                said += choice.delta.content or ""
                reasons.add(choice.finish_reason)
    assert words.startswith(said)
    assert "stop" not in reasons or said == words


def test_models(client: OpenAI, target: Target) -> None:
    listed = {model.id for model in client.models.list()}
    assert target.model in listed or target.upstream != DIALECT
    assert client.models.retrieve(target.model).id == target.model


def test_embeddings(client: OpenAI, target: Target) -> None:
    if target.upstream != DIALECT:
        pytest.skip("only this upstream has embeddings")
    made = client.embeddings.create(model=target.model, input=["one", "two"], dimensions=8)
    assert [len(each.embedding) for each in made.data] == [8, 8]
    assert made.usage.prompt_tokens > 0
