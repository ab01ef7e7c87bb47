"""The capable model of the fake provider does what its prompt asks for, in every dialect alike."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.harness.fake_provider import capable
from tests.harness.fake_provider.client import ask, ask_message
from tests.harness.fake_provider.launch import FakeProvider, fake_provider

Json = dict[str, Any]
Called = list[tuple[str, Json]]
ADDER: Json = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}, "name": {"type": "string"}},
    "required": ["a", "b", "name"],
}
WEATHER: Json = {"type": "object", "properties": {"place": {"type": "string"}}}
FUNCTIONS = {"get_weather": WEATHER, "adder": ADDER}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with fake_provider(seed=7) as fake:
        yield fake


def chat(fake: FakeProvider, prompt: str, *, forbidden: bool = False) -> Called:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": schema}}
        for name, schema in FUNCTIONS.items()
    ]
    said = [{"role": "user", "content": prompt}]
    request: Json = {"model": "capable", "messages": said, "tools": tools}
    chosen: Json = {"tool_choice": "none"} if forbidden else {}
    answer = ask(fake, request | chosen).json()
    calls = answer["choices"][0]["message"].get("tool_calls", [])
    return [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls]


def respond(fake: FakeProvider, prompt: str, *, forbidden: bool = False) -> Called:
    tools = [
        {"type": "function", "name": name, "parameters": schema, "strict": False}
        for name, schema in FUNCTIONS.items()
    ]
    request: Json = {"model": "capable", "input": prompt, "tools": tools}
    chosen: Json = {"tool_choice": "none"} if forbidden else {}
    answer = ask(fake, request | chosen, path="/v1/responses").json()
    calls = [item for item in answer["output"] if item["type"] == "function_call"]
    return [(call["name"], json.loads(call["arguments"])) for call in calls]


def message(fake: FakeProvider, prompt: str, *, forbidden: bool = False) -> Called:
    tools = [{"name": name, "input_schema": schema} for name, schema in FUNCTIONS.items()]
    said: Json = {"messages": [{"role": "user", "content": prompt}], "max_tokens": 99}
    chosen: Json = {"tool_choice": {"type": "none"}} if forbidden else {}
    request: Json = {"model": "capable", "tools": tools} | said | chosen
    answer = ask_message(fake, request).json()
    blocks = [block for block in answer["content"] if block["type"] == "tool_use"]
    return [(block["name"], block["input"]) for block in blocks]


@pytest.mark.parametrize("called", [chat, respond, message])
def test_it_calls_what_the_prompt_is_a_task_for(
    fake: FakeProvider, called: Callable[..., Called]
) -> None:
    [(name, arguments)] = called(fake, "Use adder for 3 and 4, as 'the 你好 sum'.")
    assert (name, arguments) == ("adder", {"a": 3, "b": 4, "name": "the 你好 sum"})
    [(name, arguments)] = called(fake, "How is the weather in Köln?")
    assert name == "get_weather"
    assert arguments["place"]
    assert called(fake, "Hello!") == []
    assert called(fake, "Use adder for 3 and 4.", forbidden=True) == []


def test_it_answers_a_result_in_words(fake: FakeProvider) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "adder", "arguments": "{}"}}
    tools = [{"type": "function", "function": {"name": "adder", "parameters": ADDER}}]
    messages = [
        {"role": "user", "content": "Use adder."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "7"},
    ]
    request: Json = {"model": "capable", "messages": messages, "tools": tools}
    assert ask(fake, request).json()["choices"][0]["message"]["content"]


def test_it_fills_a_schema_and_follows_a_wish_for_json(fake: FakeProvider) -> None:
    schema: Json = {"name": "s", "schema": ADDER}
    form = {"type": "json_schema", "json_schema": schema}
    said = [{"role": "user", "content": "3, 4 and 'five'"}]
    request: Json = {"model": "capable", "messages": said, "response_format": form}
    answer = ask(fake, request).json()["choices"][0]["message"]["content"]
    assert json.loads(answer) == {"a": 3, "b": 4, "name": "five"}
    wish = [{"role": "user", "content": "As JSON with 'setup' and 'end' keys."}]
    request = {"model": "capable", "messages": wish}
    answer = ask(fake, request).json()["choices"][0]["message"]["content"]
    assert set(json.loads(answer)) == {"setup", "end"}


def test_quoted_texts_are_not_apostrophes() -> None:
    assert capable.quoted("It's the dog's 'bone', a \"ball\" and 'two words'.") == [
        "bone",
        "ball",
        "two words",
    ]
