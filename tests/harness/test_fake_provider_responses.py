"""The fake provider answers OpenAI's responses as scripted, and refuses what the vendor refuses."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import pytest
from tests.harness.fake_provider.client import Reply, ask
from tests.harness.fake_provider.content import expected_reasoning, expected_text
from tests.harness.fake_provider.faults import (
    CutOff,
    ErrorEvent,
    HugeLine,
    InvalidText,
    Junk,
    NoDone,
    ReplacedResponse,
)
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Citation, Script, ToolCall, directive

SEED = 7
TEXT = "one two three four five six"
PATH = "/v1/responses"
Json = dict[str, Any]
TOOL: Json = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
CALL: Json = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT: Json = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
USER: Json = {"role": "user", "content": "hi"}
SEALED: Json = {"store": False, "include": ["reasoning.encrypted_content"]}


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider(seed=SEED) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


def respond(fake: FakeProvider, prompt: str = "hi", *scripts: Script, **fields: object) -> Reply:
    request: dict[str, object] = {"model": "fake", "input": prompt + directive(*scripts)}
    return ask(fake, request | fields, path=PATH)


def text_of(reply: Reply) -> str:
    events = reply.events()
    kind = "response.output_text.delta"
    return "".join(event["delta"] for event in events if event["type"] == kind)


def spoken(document: Json) -> str:
    parts = [part for item in document["output"] for part in item.get("content", [])]
    return "".join(part.get("text", "") for part in parts)


def test_a_stream_is_made_of_the_events_of_the_vendor(fake: FakeProvider) -> None:
    reply = respond(fake, "hello", stream=True)
    assert (reply.status, reply.end) == (200, "complete")
    events = reply.events()
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds == [
        "created", "in_progress", "output_item.added", "content_part.added",
        *["output_text.delta"] * 12,
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert text_of(reply) == expected_text(Script(), "hello", SEED)
    whole = events[-1]["response"]
    assert whole["usage"]["output_tokens"] == 12
    assert (whole["status"], spoken(whole)) == ("completed", text_of(reply))


def test_a_whole_response_holds_the_same_as_the_stream(fake: FakeProvider) -> None:
    script = Script(
        reasoning_words=4,
        text=TEXT,
        refusal="no more",
        citations=(Citation(start=4, end=7, url="http://x", title="T"),),
        tool_calls=(ToolCall(name="f", arguments={"a": "b"}), ToolCall(name="g")),
        cache_read_tokens=5,
    )
    fields: Json = {"tools": [TOOL], "reasoning": {"summary": "auto"}} | SEALED
    whole = respond(fake, "w", script, **fields).json()
    events = respond(fake, "w", script, **fields, stream=True).events()
    done = [e["item"] for e in events if e["type"] == "response.output_item.done"]
    assert events[-1]["response"]["output"] == done
    for item in (*whole["output"], *done):
        for name in ("id", "call_id"):
            item.pop(name, None)
    assert whole["output"] == done
    assert [item["type"] for item in done] == [
        "reasoning", "message", "function_call", "function_call",
    ]  # fmt: skip
    reasoning = expected_reasoning(script, "w" + directive(script), SEED)
    assert done[0]["summary"] == [{"type": "summary_text", "text": reasoning}]
    text, refusal = done[1]["content"]
    assert text["annotations"][0]["type"] == "url_citation"
    assert refusal == {"type": "refusal", "refusal": "no more"}
    assert done[2]["arguments"] == '{"a":"b"}'
    usage = whole["usage"]
    assert usage["input_tokens_details"]["cached_tokens"] == 5
    assert usage["output_tokens_details"] == {"reasoning_tokens": 4}
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_ends_that_are_no_completion(fake: FakeProvider) -> None:
    def ended(script: Script, **fields: object) -> Json:
        events = respond(fake, "e", script, **fields, stream=True).events()
        whole = events[-1]["response"]
        assert events[-1]["type"] == f"response.{whole['status']}"
        return whole

    cut = ended(Script(words=30), max_output_tokens=16)
    assert cut["incomplete_details"] == {"reason": "max_output_tokens"}
    filtered = ended(Script(finish_reason="content_filter"))
    assert filtered["incomplete_details"] == {"reason": "content_filter"}
    assert ended(Script(finish_reason="failed"))["error"]["code"] == "server_error"


def test_structured_answers_forced_calls_and_logprobs(fake: FakeProvider) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    form = {"format": {"type": "json_schema", "name": "n", "schema": schema}}
    assert set(msgspec.json.decode(spoken(respond(fake, text=form).json()))) == {"n"}
    tool = TOOL | {"parameters": schema}
    (call,) = respond(fake, tools=[tool], tool_choice="required").json()["output"]
    assert (call["name"], set(msgspec.json.decode(call["arguments"]))) == ("f", {"n"})
    chosen = {"type": "function", "name": "f"}
    (call,) = respond(fake, tools=[tool], tool_choice=chosen).json()["output"]
    assert call["type"] == "function_call"
    (item,) = respond(fake, "p", Script(text=TEXT), top_logprobs=2).json()["output"]
    chances = item["content"][0]["logprobs"]
    assert "".join(each["token"] for each in chances) == TEXT
    assert {len(each["top_logprobs"]) for each in chances} == {2}


def test_what_was_stored_is_kept_and_gone_on_from(fake: FakeProvider) -> None:
    call = ToolCall(name="f", id="call_1")
    first = respond(fake, "s", Script(tool_calls=(call,)), tools=[TOOL]).json()
    stored = ask(fake, b"", method="GET", path=f"{PATH}/{first['id']}").json()
    assert stored == first
    listing = ask(fake, b"", method="GET", path=f"{PATH}/{first['id']}/input_items").json()
    assert [item["role"] for item in listing["data"]] == ["user"]
    after = respond(fake, input=[OUTPUT], previous_response_id=first["id"])
    assert spoken(after.json())
    assert ask(fake, b"", method="DELETE", path=f"{PATH}/{first['id']}").json()["deleted"]
    assert ask(fake, b"", method="GET", path=f"{PATH}/{first['id']}").status == 404
    gone = respond(fake, input=[OUTPUT], previous_response_id=first["id"])
    assert gone.json()["error"]["code"] == "previous_response_not_found"


def test_reasoning_comes_back_only_as_it_went_out(fake: FakeProvider) -> None:
    script = Script(reasoning_words=3, tool_calls=(ToolCall(name="f", id="call_1"),))
    user = {"role": "user", "content": "r" + directive(script)}
    reasoning, call = respond(fake, input=[user], **SEALED).json()["output"]

    def answer(*items: Json) -> Reply:
        return respond(fake, input=[user, *items, OUTPUT], **SEALED)

    assert answer(reasoning, call).status == 200
    broken = reasoning | {"encrypted_content": reasoning["encrypted_content"][:-4] + "AAAA"}
    assert answer(broken, call).json()["error"]["code"] == "invalid_encrypted_content"
    bare = {name: reasoning[name] for name in ("id", "type", "summary")}
    assert answer(bare, call).status == 404
    assert (
        "without its required following item" in answer(call, reasoning).json()["error"]["message"]
    )


@pytest.mark.parametrize("held", [1, 5, 12, 26])
def test_an_answer_is_continued_where_it_stopped(fake: FakeProvider, held: int) -> None:
    user = {"role": "user", "content": "c" + directive(Script(text=TEXT))}
    said = {"role": "assistant", "content": [{"type": "output_text", "text": TEXT[:held]}]}
    on = {"role": "user", "content": "Please continue."}
    for items in ([user, said], [user, said, on]):
        assert TEXT[:held] + text_of(respond(fake, input=items, stream=True)) == TEXT


@pytest.mark.parametrize("stream", [True, False])
def test_faults_speak_the_dialect(fake: FakeProvider, stream: bool) -> None:
    def answer(*faults: Any) -> Reply:
        return respond(fake, "f", Script(text=TEXT, faults=faults), stream=stream)

    assert answer(ReplacedResponse(status=429)).json()["error"]["code"] == "rate_limit_exceeded"
    failed = answer(ErrorEvent(after_tokens=2))
    if stream:
        assert failed.events()[-1]["type"] == "error"
        assert failed.events()[-1]["code"] == "server_error"
    else:
        assert failed.json()["error"]["type"] == "server_error"
    assert (b"response.completed" in answer(NoDone()).body) is False
    assert answer(CutOff(after_bytes=50)).end == "rst"
    assert len(answer(HugeLine(size=50_000, after_tokens=1)).body) > 50_000


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("invalid_json", '"type":"response.output_text.delta"'),
        ("unbalanced_json", '"delta":"half"'),
        ("not_an_object", '["event"]'),
        ("null_choices", '"delta":null'),
        ("null_delta", '"delta":null'),
        ("no_choices", '"output":[]'),
        ("unknown_event", '{"novel":true}'),
        ("unknown_fields", '"x_vendor":{"deep":[1]}'),
        ("duplicate_index", '"type":"response.output_item.added","output_index":0'),
        ("empty_data", ""),
    ],
)
def test_junk_comes_between_the_events(
    fake: FakeProvider, what: Literal["invalid_json"], data: str
) -> None:
    fault = Junk(what=what, after_tokens=2)
    frames = respond(fake, "j", Script(text=TEXT, faults=(fault,)), stream=True).frames()
    # created, in progress, an item, a part and two tokens come first
    assert data in frames[6].data


def test_odd_characters_stand_in_the_text(fake: FakeProvider) -> None:
    for after in (0, 3, 6):
        script = Script(text=TEXT, faults=(InvalidText(what="nul", after_tokens=after),))
        reply = respond(fake, "o", script, stream=True)
        assert text_of(reply) == expected_text(script, "o", odd="\0")


REFUSED: list[tuple[Json, str, str | None, str | None]] = [
    ({"messages": []}, "Unknown parameter: 'messages'", "messages", "unknown_parameter"),
    ({"model": ""}, "Missing required parameter: 'model'", "model", "missing_required_parameter"),
    ({"input": []}, "Missing required parameter", "input", "missing_required_parameter"),
    ({"input": 3}, "expected one of an array of objects or string", "input", "invalid_type"),
    ({"input": [{"role": "bot", "content": "x"}]}, "Invalid value: 'bot'", "input[0].role",
     "invalid_value"),
    ({"input": [{"type": "sound"}]}, "Invalid value: 'sound'", "input[0].type", "invalid_value"),
    ({"input": [{"role": "user"}]}, "Missing required parameter", "input[0].content",
     "missing_required_parameter"),
    ({"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
     "Supported values are: 'input_text', 'input_image', and 'input_file'.",
     "input[0].content[0].type", "invalid_value"),
    ({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
     "Supported values are: 'output_text' and 'refusal'.", "input[0].content[0].type",
     "invalid_value"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
     "Expected a valid URL", "input[0].content[0].image_url", "invalid_value"),
    ({"input": [USER, OUTPUT]}, "No tool call found for function call output with call_id call_1",
     "input", None),
    ({"input": [USER, CALL]}, "No tool output found for function call call_1", "input", None),
    ({"previous_response_id": "resp_x"}, "not found", "previous_response_id",
     "previous_response_not_found"),
    ({"max_output_tokens": 15}, "Expected a value >= 16", "max_output_tokens",
     "integer_below_min_value"),
    ({"temperature": 3}, "Expected a value <= 2", "temperature", "decimal_above_max_value"),
    ({"tool_choice": "required"}, "must be specified with 'tools'", "tool_choice", None),
    ({"tools": [TOOL], "tool_choice": {"type": "function", "name": "g"}}, "'g' not found",
     "tool_choice", None),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "Missing required",
     "tools[0].name", "missing_required_parameter"),
    ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "Missing required",
     "text.format.schema", "missing_required_parameter"),
    ({"include": ["everything"]}, "Invalid value: 'everything'", "include[0]", "invalid_value"),
    ({"reasoning": {"effort": "huge"}}, "Invalid value: 'huge'", "reasoning.effort",
     "invalid_value"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "message", "param", "code"), REFUSED)
def test_what_the_vendor_refuses_is_refused(
    fake: FakeProvider, sent: Json, message: str, param: str | None, code: str | None
) -> None:
    reply = respond(fake, **sent)
    error = reply.json()["error"]
    assert message in error.pop("message")
    assert (reply.status, error) == (
        400,
        {"type": "invalid_request_error", "param": param, "code": code},
    )


def test_models_keys_and_methods_are_looked_at(fake: FakeProvider) -> None:
    assert respond(fake, model="gone").json()["error"]["code"] == "model_not_found"
    keyless = {"content-type": "application/json"}
    assert ask(fake, {}, path=PATH, headers=keyless).status == 401
    assert ask(fake, b"", method="GET", path=PATH).status == 405
