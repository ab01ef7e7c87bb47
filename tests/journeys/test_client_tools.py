"""A client's own tools with agents as models: the answer pauses, and their results resume it."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario
from tests.journeys.v1 import frames, post, post_json

SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}
OWN = ToolCall(name="calculator", arguments={"expression": "6*7"})
THEIRS = ToolCall(name="look", arguments={"at": "it"})
Turn = tuple[str, list[dict[str, Any]]]
"""The text of an answer, and its calls as id, name and arguments."""


class Client:
    """A client of one API, which keeps the history as that wants it."""

    def __init__(self, scenario: Scenario, path: str, body: dict[str, Any]) -> None:
        self.scenario = scenario
        self.path = path
        self.body: dict[str, Any] = {"model": "cartrita", **body}

    async def ask(self, text: str) -> Turn:
        self.body["messages"] = [{"role": "user", "content": text}]
        return await self.send()

    async def send(self) -> Turn:
        status, answer = await post_json(self.scenario, self.path, self.body)
        assert status == 200, answer
        return self.read(answer)

    def read(self, answer: dict[str, Any]) -> Turn:
        raise NotImplementedError

    async def resume(self, results: dict[str, str]) -> Turn:
        raise NotImplementedError


class Chat(Client):
    def __init__(self, scenario: Scenario) -> None:
        look = {"type": "function", "function": {"name": "look", "parameters": SCHEMA}}
        body = {"tools": [look], "conversation_id": f"user_{uuid4().hex}"}
        super().__init__(scenario, "/v1/chat/completions", body)

    def read(self, answer: dict[str, Any]) -> Turn:
        (choice,) = answer["choices"]
        said = choice["message"]
        self.body["messages"].append(said)
        calls = said.get("tool_calls") or []
        assert choice["finish_reason"] == ("tool_calls" if calls else "stop")
        read = [{"id": one["id"], **one["function"]} for one in calls]
        return said["content"] or "", read

    async def resume(self, results: dict[str, str]) -> Turn:
        for call, result in results.items():
            told = {"role": "tool", "tool_call_id": call, "content": result}
            self.body["messages"].append(told)
        return await self.send()


class Responses(Client):
    def __init__(self, scenario: Scenario) -> None:
        look = {"type": "function", "name": "look", "parameters": SCHEMA}
        super().__init__(scenario, "/v1/responses", {"tools": [look]})

    async def ask(self, text: str) -> Turn:
        self.body["input"] = text
        return await self.send()

    def read(self, answer: dict[str, Any]) -> Turn:
        assert answer["status"] == "completed"
        self.body["previous_response_id"] = answer["id"]
        texts = [
            part["text"]
            for item in answer["output"]
            if item["type"] == "message"
            for part in item["content"]
        ]
        calls = [
            {"id": item["call_id"], "name": item["name"], "arguments": item["arguments"]}
            for item in answer["output"]
            if item["type"] == "function_call"
        ]
        return "".join(texts), calls

    async def resume(self, results: dict[str, str]) -> Turn:
        self.body["input"] = [
            {"type": "function_call_output", "call_id": call, "output": result}
            for call, result in results.items()
        ]
        return await self.send()


class Messages(Client):
    def __init__(self, scenario: Scenario) -> None:
        look = {"name": "look", "input_schema": SCHEMA}
        body = {"tools": [look], "max_tokens": 99, "conversation_id": f"user_{uuid4().hex}"}
        super().__init__(scenario, "/v1/messages", body)

    def read(self, answer: dict[str, Any]) -> Turn:
        content = answer["content"]
        self.body["messages"].append({"role": "assistant", "content": content})
        calls = [
            {"id": one["id"], "name": one["name"], "arguments": json.dumps(one["input"])}
            for one in content
            if one["type"] == "tool_use"
        ]
        assert answer["stop_reason"] == ("tool_use" if calls else "end_turn")
        return "".join(one["text"] for one in content if one["type"] == "text"), calls

    async def resume(self, results: dict[str, str]) -> Turn:
        blocks = [
            {"type": "tool_result", "tool_use_id": call, "content": result}
            for call, result in results.items()
        ]
        self.body["messages"].append({"role": "user", "content": blocks})
        return await self.send()


CLIENTS: tuple[Callable[[Scenario], Client], ...] = (Chat, Responses, Messages)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("calls", [(THEIRS,), (OWN, THEIRS), (THEIRS, OWN, THEIRS)])
async def test_results_resume_the_answer(
    scenario: Scenario, client: Callable[[Scenario], Client], calls: tuple[ToolCall, ...]
) -> None:
    talk = client(scenario)
    scripts = (Script(text="I look.", tool_calls=calls), Script(text="Seen: 42."))
    word = f"needle-{uuid4().hex}"
    text, asked = await talk.ask(f"{word} {directive(*scripts)}")
    assert text == "I look."
    assert [one["name"] for one in asked] == ["look"] * calls.count(THEIRS)
    assert json.loads(asked[0]["arguments"]) == {"at": "it"}
    text, more = await talk.resume({one["id"]: f"seen {n}" for n, one in enumerate(asked)})
    assert (text, more) == ("Seen: 42.", [])
    sent = [json.loads(one.body) for one in scenario.provider.requests() if word in one.body]
    last = sent[-1]["messages"]
    results = [one["content"] for one in last if one["role"] == "tool"]
    expected = [f"seen {n}" for n in range(len(asked))] + ["6*7 = 42"] * calls.count(OWN)
    assert sorted(map(str, results)) == sorted(expected), "each result once, with its call"
    (said,) = [one for one in last if one.get("tool_calls")]
    assert len(said["tool_calls"]) == len(calls)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_call_of_a_clients_tool_that_is_no_json_is_told_to_the_model(
    scenario: Scenario, client: Callable[[Scenario], Client]
) -> None:
    talk = client(scenario)
    scripts = (
        Script(tool_calls=(ToolCall(name="look", arguments='{"at": "i'),), insist=True),
        Script(tool_calls=(THEIRS,), insist=True),
        Script(text="Seen."),
    )
    word = f"needle-{uuid4().hex}"
    _, asked = await talk.ask(f"{word} {directive(*scripts)}")
    assert [json.loads(one["arguments"]) for one in asked] == [{"at": "it"}]
    text, more = await talk.resume({asked[0]["id"]: "seen"})
    assert (text.strip(), more) == ("Seen.", [])
    sent = [json.loads(one.body) for one in scenario.provider.requests() if word in one.body]
    told, seen = [one["content"] for one in sent[-1]["messages"] if one["role"] == "tool"]
    assert "no JSON object" in told
    assert seen == "seen"
    called = [one for one in sent[-1]["messages"] if one.get("tool_calls")]
    function = called[0]["tool_calls"][0]["function"]
    assert json.loads(function["arguments"]) == {"INVALID_JSON": '{"at": "i'}


@pytest.mark.parametrize("client", CLIENTS)
async def test_own_steps_come_before_and_after_the_pause(
    scenario: Scenario, client: Callable[[Scenario], Client]
) -> None:
    talk = client(scenario)
    scripts = (
        Script(tool_calls=(OWN,), insist=True),
        Script(tool_calls=(THEIRS,), insist=True),
        Script(tool_calls=(OWN,), insist=True),
        Script(text="All done."),
    )
    word = f"needle-{uuid4().hex}"
    _, asked = await talk.ask(f"{word} {directive(*scripts)}")
    assert [one["name"] for one in asked] == ["look"]
    text, more = await talk.resume({asked[0]["id"]: "seen"})
    assert (text.strip(), more) == ("All done.", [])
    sent = [json.loads(one.body) for one in scenario.provider.requests() if word in one.body]
    assert len(sent) == 4
    roles = [one["role"] for one in sent[-1]["messages"]]
    assert roles == ["system", "user", *["assistant", "tool"] * 3]


async def test_a_stream_ends_with_the_calls(scenario: Scenario) -> None:
    talk = Chat(scenario)
    asked = {"role": "user", "content": f"x {directive(Script(tool_calls=(OWN, THEIRS)))}"}
    body = {**talk.body, "messages": [asked], "stream": True}
    status, _, sent = await post(scenario, talk.path, body)
    assert status == 200
    chunks = [data for _, data in frames(sent) if data != "[DONE]"]
    deltas = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    names = [
        call["function"]["name"]
        for one in deltas
        for call in one["delta"].get("tool_calls") or ()
        if call["function"].get("name")
    ]
    assert names == ["look"]
    assert deltas[-1]["finish_reason"] == "tool_calls"
