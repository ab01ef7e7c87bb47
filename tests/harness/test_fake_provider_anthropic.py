"""The fake provider answers Anthropic's wire as scripted."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import pytest
from tests.harness.fake_provider.client import Reply, ask, ask_message, message_body
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
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
TOOLS = {"tools": [{"name": "f", "input_schema": {"type": "object"}}]}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider(seed=SEED, models=["claude-x"]) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    return running


def deltas(reply: Reply, field: str) -> str:
    """What the deltas carry in one field."""
    found = [event["delta"] for event in reply.events() if event["type"] == "content_block_delta"]
    return "".join(delta.get(field, "") for delta in found)


def text_of(reply: Reply) -> str:
    return deltas(reply, "text")


def blocks_of(reply: Reply) -> list[Json]:
    """The blocks of a stream put together as the vendor's client does it."""
    blocks: list[Json] = []
    partial: dict[int, str] = {}
    for event in reply.events():
        if event["type"] == "content_block_start":
            assert event["index"] == len(blocks)
            blocks.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            apply(blocks[event["index"]], event["delta"], partial, event["index"])
    for index, text in partial.items():
        blocks[index]["input"] = msgspec.json.decode(text or "{}")
    return blocks


def apply(block: Json, delta: Json, partial: dict[int, str], index: int) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "citations_delta":
            block["citations"].append(delta["citation"])
        case _:
            partial[index] = partial.get(index, "") + delta["partial_json"]


def test_a_stream_is_made_of_the_events_of_the_vendor(fake: FakeProvider) -> None:
    reply = ask_message(fake, message_body("hello", model="claude-x", stream=True))
    assert (reply.status, reply.end) == (200, "complete")
    assert reply.headers["request-id"].startswith("req_")
    start, opened, ping, *middle, closed, ended, stopped = reply.events()
    assert start["message"]["model"] == "claude-x"
    assert start["message"]["content"] == []
    assert start["message"]["stop_reason"] is None
    assert start["message"]["usage"]["output_tokens"] == 1
    assert opened["content_block"] == {"type": "text", "text": ""}
    assert ping == {"type": "ping"}
    assert {event["type"] for event in middle} == {"content_block_delta"}
    assert text_of(reply) == expected_text(Script(), "hello", SEED)
    assert closed == {"type": "content_block_stop", "index": 0}
    assert ended["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert ended["usage"]["output_tokens"] == len(middle) == 12
    assert stopped == {"type": "message_stop"}


def test_a_whole_message_holds_the_same_as_the_stream(fake: FakeProvider) -> None:
    script = Script(
        reasoning_words=4,
        redacted_reasoning="hidden",
        text=TEXT,
        citations=(Citation(start=4, end=7, cited_text="q", url="http://x", title="T"),),
        tool_calls=(ToolCall(name="f", arguments={"a": "hello world"}), ToolCall(name="f")),
        cache_read_tokens=5,
        cache_write_tokens=3,
    )
    request = message_body("m", script) | THINKING | TOOLS
    whole = ask_message(fake, request).json()
    reply = ask_message(fake, request | {"stream": True})
    streamed = blocks_of(reply)
    for block in (*whole["content"], *streamed):
        block.pop("id", None)
    assert streamed == whole["content"]
    assert [block["type"] for block in streamed] == [
        "thinking", "redacted_thinking", "text", "text", "text", "tool_use", "tool_use",
    ]  # fmt: skip
    assert streamed[0]["thinking"] == expected_reasoning(script, "m" + directive(script), SEED)
    assert streamed[3]["citations"][0]["type"] == "web_search_result_location"
    assert streamed[5]["input"] == {"a": "hello world"}
    assert whole["stop_reason"] == reply.events()[-2]["delta"]["stop_reason"] == "tool_use"
    usage = whole["usage"]
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (5, 3)
    assert usage["output_tokens_details"] == {"thinking_tokens": 4}
    assert usage["output_tokens"] == reply.events()[-2]["usage"]["output_tokens"] == 4 + 6 + 3


def test_thinking_is_shown_only_to_those_who_ask(fake: FakeProvider) -> None:
    request = message_body("t", Script(reasoning_words=4, text=TEXT))
    assert [b["type"] for b in ask_message(fake, request).json()["content"]] == ["text"]
    omitted = {"thinking": {"type": "adaptive", "display": "omitted"}}
    thought = ask_message(fake, request | omitted).json()["content"][0]
    assert thought["thinking"] == ""
    assert thought["signature"]


def test_reasons_to_stop(fake: FakeProvider) -> None:
    def ended(script: Script, **fields: object) -> Json:
        return ask_message(fake, message_body("s", script) | fields).json()

    assert ended(Script(text=TEXT), max_tokens=2)["stop_reason"] == "max_tokens"
    stopped = ended(Script(text=TEXT), stop_sequences=["four", "three"])
    assert (stopped["stop_reason"], stopped["stop_sequence"]) == ("stop_sequence", "three")
    assert stopped["content"] == [{"type": "text", "text": "one two "}]
    assert ended(Script(finish_reason="pause_turn"))["stop_reason"] == "pause_turn"
    refused = ended(Script(refusal="I will not."))
    assert refused["stop_reason"] == "refusal"
    assert refused["stop_details"]["explanation"] == "I will not."
    assert refused["content"] == []


@pytest.mark.parametrize("held", [1, 5, 12, 26])
def test_a_prefill_is_continued_and_so_is_a_text_that_is_asked_to_go_on(
    fake: FakeProvider, held: int
) -> None:
    script = Script(text=TEXT)
    user = {"role": "user", "content": "c" + directive(script)}
    said = {"role": "assistant", "content": TEXT[:held].rstrip()}
    on = {"role": "user", "content": "Continue exactly where you stopped."}
    for messages in ([user, said], [user, said, on]):
        reply = ask_message(fake, message_body(messages=messages, stream=True))
        assert said["content"] + text_of(reply) == TEXT
    overlapping = {"role": "user", "content": "c" + directive(Script(text=TEXT, overlap=3))}
    reply = ask_message(fake, message_body(messages=[overlapping, said, on], stream=True))
    assert text_of(reply) == TEXT[max(len(said["content"]) - 3, 0) :]


def test_a_text_that_the_script_would_not_have_said_is_not_continued(fake: FakeProvider) -> None:
    user = {"role": "user", "content": "c" + directive(Script(text=TEXT))}
    said = {"role": "assistant", "content": "else"}
    on = {"role": "user", "content": "Go on."}
    assert ask_message(fake, message_body(messages=[user, said])).json()["content"][0]["text"] == (
        TEXT
    )
    echo = message_body(messages=[user | {"content": "x"}, said, on], model="fake-echo")
    assert ask_message(fake, echo).json()["content"][0]["text"] == "Go on."


def test_thinking_comes_back_only_as_it_went_out(fake: FakeProvider) -> None:
    script = Script(
        reasoning_words=3, redacted_reasoning="h", tool_calls=(ToolCall(name="f", id="toolu_1"),)
    )
    user = {"role": "user", "content": "t" + directive(script)}
    content = ask_message(fake, message_body(messages=[user]) | THINKING | TOOLS).json()["content"]
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}

    def answer(said: list[Json]) -> Reply:
        messages = [
            user,
            {"role": "assistant", "content": said},
            {"role": "user", "content": [result]},
        ]
        return ask_message(fake, message_body(messages=messages) | THINKING | TOOLS)

    assert answer(content).status == 200
    thought, redacted, call = content
    for changed in (
        [thought | {"thinking": thought["thinking"] + "!"}, redacted, call],
        [thought | {"signature": "c2ln"}, redacted, call],
        [thought, redacted | {"data": redacted["data"][:-4] + "AAAA"}, call],
        [thought, redacted | {"data": "no base64"}, call],
        [call],
    ):
        assert answer(changed).status == 400


def test_structured_answers_and_forced_calls_fit_their_schemas(fake: FakeProvider) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"enum": ["x"]}}}
    form = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    drawn = ask_message(fake, message_body("j") | form).json()["content"][0]["text"]
    assert set(msgspec.json.decode(drawn)) == {"n", "s"}
    tools = {"tools": [{"name": "g", "input_schema": schema}], "tool_choice": {"type": "any"}}
    (call,) = ask_message(fake, message_body("j") | tools).json()["content"]
    assert (call["type"], call["name"], set(call["input"])) == ("tool_use", "g", {"n", "s"})


def test_tokens_are_counted_and_models_listed(fake: FakeProvider) -> None:
    request = message_body("one two three", **TOOLS)
    counted = dict(request)
    del counted["max_tokens"]
    count = ask_message(fake, counted, "/v1/messages/count_tokens").json()
    assert count == {"input_tokens": ask_message(fake, request).json()["usage"]["input_tokens"]}
    headers = {"authorization": f"Bearer {fake.key}", "anthropic-version": "2023-06-01"}
    listing = ask(fake, b"", method="GET", path="/v1/models", headers=headers).json()
    assert (listing["first_id"], listing["has_more"]) == ("fake", False)
    card = ask(fake, b"", method="GET", path="/v1/models/claude-x", headers=headers).json()
    assert card in listing["data"]
    assert set(card) == {"type", "id", "display_name", "created_at"}


def test_a_script_may_be_for_one_path(fake: FakeProvider) -> None:
    gone = Script(faults=(ReplacedResponse(status=404),))
    fake.script(gone, path="/v1/messages", default=True)
    fake.script(gone, path="/v1/messages/count_tokens")
    counted = message_body()
    del counted["max_tokens"]
    path = "/v1/messages/count_tokens"
    assert [ask_message(fake, counted, path).status for _ in range(2)] == [404, 200]
    assert [ask_message(fake, message_body()).status for _ in range(2)] == [404, 404]
    assert ask(fake, {"model": "fake", "messages": [{"role": "user", "content": "x"}]}).status == (
        200
    )


@pytest.mark.parametrize("stream", [True, False])
def test_faults_speak_the_dialect(fake: FakeProvider, stream: bool) -> None:
    def answer(*faults: Any) -> Reply:
        return ask_message(fake, message_body("f", Script(text=TEXT, faults=faults), stream=stream))

    limited = answer(ReplacedResponse(status=429, headers={"Retry-After": "2"}))
    assert limited.json()["error"]["type"] == "rate_limit_error"
    assert limited.json()["request_id"] == limited.headers["request-id"]
    assert answer(ReplacedResponse(status=402)).json()["error"]["type"] == "billing_error"
    failed = answer(ErrorEvent(after_tokens=2))
    last = failed.events()[-1] if stream else failed.json()
    assert (last["type"], last["error"]["type"]) == ("error", "overloaded_error")
    assert b"message_stop" not in answer(NoDone()).body
    assert answer(CutOff(after_bytes=50)).end == "rst"
    assert len(answer(HugeLine(size=50_000)).body) > 50_000


def test_a_stream_is_cut_at_a_token_in_the_middle_of_arguments(fake: FakeProvider) -> None:
    call = ToolCall(name="f", arguments={"text": "hello world"})
    script = Script(tool_calls=(call,), faults=(CutOff(after_tokens=2, how="end"),))
    reply = ask_message(fake, message_body("cut", script, **TOOLS, stream=True))
    assert deltas(reply, "partial_json") == '{"text":"hello w'
    assert b"message_delta" not in reply.body


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("invalid_json", '"delta":{"type"'),
        ("unbalanced_json", '"text":"hal'),
        ("not_an_object", '["event"]'),
        ("null_choices", '"delta":null'),
        ("null_delta", '"delta":null'),
        ("no_choices", '"content":[]'),
        ("unknown_event", '{"novel":true}'),
        ("unknown_fields", '"x_vendor":{"deep":[1]}'),
        ("duplicate_index", '"index":0,"content_block":{"type":"text","text":"dup"}'),
        ("empty_data", ""),
    ],
)
def test_junk_comes_between_the_events(
    fake: FakeProvider, what: Literal["invalid_json"], data: str
) -> None:
    def frames(*faults: Any) -> list[Any]:
        script = Script(text=TEXT, faults=faults)
        return ask_message(fake, message_body("j", script, stream=True)).frames()

    ordinary, odd = frames(), frames(Junk(what=what, after_tokens=2))
    assert len(odd) == len(ordinary) + 1
    # message_start, content_block_start, ping and two tokens come first
    assert data in odd[5].data


def test_odd_characters_stand_in_the_block_of_text(fake: FakeProvider) -> None:
    for after in (0, 1, 3, 6):
        script = Script(text=TEXT, faults=(InvalidText(what="nul", after_tokens=after),))
        reply = ask_message(fake, message_body("o", script, stream=True))
        assert text_of(reply) == expected_text(script, "o", odd="\0")
        kinds = [event["type"] for event in reply.events()]
        assert kinds[1] == "content_block_start"
        assert kinds[-3] == "content_block_stop"


def test_comet_answers_in_its_own_envelope() -> None:
    with fake_provider(manners="comet") as comet:
        bearer = {"authorization": f"Bearer {comet.key}", "content-type": "application/json"}
        headers = bearer | {"anthropic-version": "2023-06-01"}
        assert ask(comet, message_body(), path="/v1/messages", headers=headers).status == 200
        by_key = ask_message(comet, message_body())
        assert by_key.status == 401
        fault = ReplacedResponse(status=500, code="invalid_request")
        request = message_body("x", Script(faults=(fault,)))
        failed = ask(comet, request, path="/v1/messages", headers=headers)
        error = failed.json()["error"]
        assert "(request id: req_" in error.pop("message")
        assert (failed.status, error) == (
            500,
            {"code": "invalid_request", "type": "comet_api_error", "param": ""},
        )
        wrong = ask(comet, {}, path="/messages", headers=bearer)
        assert (wrong.status, wrong.headers["content-type"]) == (200, "text/html; charset=utf-8")
