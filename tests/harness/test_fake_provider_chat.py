"""Chat completions of the fake provider say all that the vendor's can; embeddings too."""

import base64
import struct
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.harness.fake_provider.client import Reply, ask, body
from tests.harness.fake_provider.content import expected_text
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Citation, Script, ToolCall, directive

SEED = 7
TEXT = "one two three four five six"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"enum": ["x"]}}}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with fake_provider(seed=SEED) as fake:
        yield fake


def choice_of(reply: Reply) -> Json:
    return reply.json()["choices"][0]


def joined(reply: Reply, field: str) -> str:
    deltas = [part["delta"] for chunk in reply.chunks() for part in chunk["choices"]]
    return "".join(delta.get(field) or "" for delta in deltas)


def test_choices_take_turns(fake: FakeProvider) -> None:
    chunks = ask(fake, body("n", n=3, stream=True)).chunks()
    order = [part["index"] for chunk in chunks for part in chunk["choices"]]
    assert order == [0, 1, 2] * 14
    texts = [choice["message"]["content"] for choice in ask(fake, body("n", n=3)).json()["choices"]]
    assert texts == [expected_text(Script(), "n", SEED, choice=index) for index in range(3)]


def test_log_probabilities_are_of_every_token(fake: FakeProvider) -> None:
    request = body("p", Script(text=TEXT, tokens_per_delta=2), logprobs=True, top_logprobs=2)
    whole = choice_of(ask(fake, request))["logprobs"]["content"]
    assert "".join(entry["token"] for entry in whole) == TEXT
    assert all(entry["logprob"] <= 0 for entry in whole)
    assert {len(entry["top_logprobs"]) for entry in whole} == {2}
    chunks = ask(fake, request | {"stream": True}).chunks()
    streamed = [part["logprobs"] for chunk in chunks for part in chunk["choices"]]
    assert [entry for each in streamed if each for entry in each["content"]] == whole


def test_refusals_and_annotations(fake: FakeProvider) -> None:
    refused = body("r", Script(refusal="I will not."))
    message = choice_of(ask(fake, refused))["message"]
    assert (message["content"], message["refusal"]) == (None, "I will not.")
    assert joined(ask(fake, refused | {"stream": True}), "refusal") == "I will not."
    cited = body("a", Script(text=TEXT, citations=(Citation(start=0, end=3, url="http://x"),)))
    (note,) = choice_of(ask(fake, cited))["message"]["annotations"]
    assert note["url_citation"] == {
        "start_index": 0, "end_index": 3, "title": "", "url": "http://x",
    }  # fmt: skip
    deltas = [c["choices"][0]["delta"] for c in ask(fake, cited | {"stream": True}).chunks()]
    assert {"annotations": [note]} in deltas


def test_structured_answers_and_forced_calls_fit_their_schemas(fake: FakeProvider) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    drawn = choice_of(ask(fake, body("j", response_format=form)))["message"]["content"]
    assert set(msgspec.json.decode(drawn)) == {"n", "s"}
    anything = body("some json", response_format={"type": "json_object"})
    assert choice_of(ask(fake, anything))["message"]["content"] == "{}"
    tool = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
    for chosen in ("required", {"type": "function", "function": {"name": "f"}}):
        answer = choice_of(ask(fake, body("t", tools=[tool], tool_choice=chosen)))
        (call,) = answer["message"]["tool_calls"]
        assert set(msgspec.json.decode(call["function"]["arguments"])) == {"n", "s"}
        assert answer["finish_reason"] == "tool_calls"


def test_functions_of_old_are_called(fake: FakeProvider) -> None:
    functions: Json = {"functions": [{"name": "f", "parameters": SCHEMA}]}
    script = Script(tool_calls=(ToolCall(name="f", arguments={"n": 12345678}),))
    request = body("o", script) | functions
    answer = choice_of(ask(fake, request))
    assert answer["message"]["function_call"] == {"name": "f", "arguments": '{"n":12345678}'}
    assert answer["finish_reason"] == "function_call"
    chunks = ask(fake, request | {"stream": True}).chunks()
    calls = [c["choices"][0]["delta"].get("function_call", {}) for c in chunks]
    assert "".join(call.get("arguments", "") for call in calls) == '{"n":12345678}'
    said = [
        {"role": "user", "content": "o" + directive(script)},
        {"role": "assistant", "content": None, "function_call": answer["message"]["function_call"]},
        {"role": "function", "name": "f", "content": "1"},
    ]
    assert choice_of(ask(fake, body(messages=said, **functions)))["finish_reason"] == "stop"
    forced = body("x", function_call={"name": "f"}) | functions
    assert choice_of(ask(fake, forced))["message"]["function_call"]["name"] == "f"


@pytest.mark.parametrize("held", [1, 5, 12, 26])
def test_an_answer_is_continued_where_it_stopped(fake: FakeProvider, held: int) -> None:
    user = {"role": "user", "content": "c" + directive(Script(text=TEXT))}
    said = {"role": "assistant", "content": TEXT[:held]}
    on = {"role": "user", "content": "Go on."}
    for messages in ([user, said], [user, said, on]):
        reply = ask(fake, body(messages=messages, stream=True))
        assert TEXT[:held] + joined(reply, "content") == TEXT


def test_embeddings_are_unit_vectors_in_either_encoding(fake: FakeProvider) -> None:
    def embed(**fields: object) -> Json:
        request: dict[str, object] = {"model": "fake", "input": ["a b", "c"]}
        return ask(fake, request | fields, path="/v1/embeddings").json()

    plain = embed()
    first, second = (entry["embedding"] for entry in plain["data"])
    assert len(first) == 64
    assert abs(sum(number * number for number in first) - 1) < 1e-6
    assert first != second
    assert plain["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    packed = base64.b64decode(embed(encoding_format="base64")["data"][0]["embedding"])
    assert list(struct.unpack("<64f", packed)) == first
    assert embed(input="a b")["data"][0]["embedding"] == first
    assert len(embed(dimensions=8)["data"][0]["embedding"]) == 8
    assert len(embed(input=[[1, 2], [3]])["data"]) == 2
    assert len(embed(input=[1, 2])["data"]) == 1


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"input": ""}, "cannot be an empty string"),
        ({"input": []}, "empty array"),
        ({"input": 3}, "expected one of a string, array of strings"),
        ({"input": "x", "dimensions": 0}, "Expected a value >= 1"),
        ({"input": "x", "encoding_format": "hex"}, "Invalid value: 'hex'"),
        ({"input": "x", "n": 1}, "Unrecognized request argument"),
        ({}, "Missing required parameter: 'input'"),
    ],
)
def test_what_cannot_be_embedded_is_refused(
    fake: FakeProvider, sent: dict[str, object], message: str
) -> None:
    reply = ask(fake, {"model": "fake"} | sent, path="/v1/embeddings")
    assert reply.status == 400
    assert message in reply.json()["error"]["message"]
