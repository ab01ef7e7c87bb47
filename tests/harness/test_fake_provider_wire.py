"""The fake provider refuses what OpenAI refuses, in the same envelope."""

from base64 import b64encode
from collections.abc import Iterator

import pytest
from tests.harness.fake_provider.client import Reply, ask, body
from tests.harness.fake_provider.launch import FakeProvider, fake_provider

Json = dict[str, object]
USER: Json = {"role": "user", "content": "hi"}
CALL: Json = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED: Json = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT: Json = {"role": "tool", "tool_call_id": "call_1", "content": "1"}
TOOL: Json = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}

IMAGE = "data:image/png;base64," + b64encode(b"\x89PNG\r\n\x1a\n" + bytes(9)).decode()
PDF = "data:application/pdf;base64," + b64encode(b"%PDF-1.4 x").decode()
STRICT: Json = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with fake_provider(key="sk-one") as fake:
        yield fake


def saying(*messages: object) -> Json:
    return {"messages": list(messages)}


def parts(*content: Json) -> Json:
    return saying({"role": "user", "content": list(content)})


def tool(**function: object) -> Json:
    return {"tools": [{"type": "function", "function": function}]}


REFUSED: list[tuple[Json, str, str | None, str | None]] = [
    # what is sent, a part of the message, param, code
    ({"mesages": []}, "Unrecognized request argument supplied: mesages", None, None),
    ({"a": 1, "b": 2}, "Unrecognized request arguments supplied: a, b", None, None),
    ({"model": ""}, "you must provide a model parameter", None, None),
    ({"model": 3}, "expected a string, but got an integer instead", "model", "invalid_type"),
    ({"messages": []}, "Invalid 'messages': empty array", "messages", "empty_array"),
    ({"messages": "hi"}, "expected an array of objects, but got a string", "messages",
     "invalid_type"),
    ({"messages": None}, "but got null instead", "messages", "invalid_type"),
    (saying("hi"), "expected an object, but got a string", "messages[0]", "invalid_type"),
    (saying({"content": "hi"}), "Missing required parameter: 'messages[0].role'",
     "messages[0].role", "missing_required_parameter"),
    (saying(USER, {"role": "bot", "content": "x"}),
     "Invalid value: 'bot'. Supported values are: 'system', 'assistant', 'user', 'function', "
     "'tool', and 'developer'.", "messages[1].role", "invalid_value"),
    (saying({"role": "user"}), "Missing required parameter", "messages[0].content",
     "missing_required_parameter"),
    (saying({"role": "user", "content": None}), "Invalid value for 'content': expected a string",
     "messages.[0].content", None),
    (saying({"role": "user", "content": 3}), "expected one of a string or array of objects",
     "messages[0].content", "invalid_type"),
    (saying(USER | {"parts": []}), "Unknown parameter", "messages[0].parts", "unknown_parameter"),
    (saying(USER, {"role": "assistant", "content": "x", "reasoning_content": "y"}),
     "Unknown parameter", "messages[1].reasoning_content", "unknown_parameter"),
    (saying({"role": "assistant"}), "Invalid value for 'content'", "messages.[0].content", None),
    (saying({"role": "assistant", "content": "x", "tool_calls": []}), "empty array",
     "messages[0].tool_calls", "empty_array"),
    (parts({"type": "video"}), "are: 'text', 'image_url', 'input_audio', and 'file'.",
     "messages[0].content[0].type", "invalid_value"),
    (parts({"type": "text"}), "Missing required", "messages[0].content[0].text",
     "missing_required_parameter"),
    (parts({"type": "image_url", "image_url": "https://x"}), "expected an object",
     "messages[0].content[0].image_url", "invalid_type"),
    (saying(USER, RESULT), "must be a response to a preceeding message with 'tool_calls'",
     "messages.[1].role", None),
    (saying(USER, CALLED, USER), "did not have response messages: call_1", "messages", None),
    (saying(USER, CALLED), "did not have response messages: call_1", "messages", None),
    (saying(USER, CALLED, RESULT | {"tool_call_id": "call_2"}), "'call_2' not found",
     "messages.[2].tool_call_id", None),
    ({"temperature": 2.5}, "decimal above maximum value. Expected a value <= 2, but got 2.5",
     "temperature", "decimal_above_max_value"),
    ({"temperature": -1}, "Expected a value >= 0", "temperature", "decimal_below_min_value"),
    ({"temperature": "1"}, "expected a decimal, but got a string", "temperature", "invalid_type"),
    ({"temperature": True}, "but got a boolean instead", "temperature", "invalid_type"),
    ({"top_p": 1.1}, "Expected a value <= 1", "top_p", "decimal_above_max_value"),
    ({"n": 0}, "integer below minimum value", "n", "integer_below_min_value"),
    ({"n": 129}, "Expected a value <= 128, but got 129", "n", "integer_above_max_value"),
    ({"n": 1.5}, "expected an integer, but got a decimal", "n", "invalid_type"),
    ({"max_tokens": 0}, "Expected a value >= 1", "max_tokens", "integer_below_min_value"),
    ({"max_tokens": 1, "max_completion_tokens": 1}, "at the same time is not supported",
     "max_tokens", "invalid_parameter_combination"),
    ({"stream": "yes"}, "expected a boolean", "stream", "invalid_type"),
    ({"stream_options": {"include_usage": True}}, "only allowed when 'stream' is enabled",
     "stream_options", None),
    ({"stream": True, "stream_options": {"usage": True}}, "Unknown parameter",
     "stream_options.usage", "unknown_parameter"),
    ({"stop": ["a"] * 5}, "maximum length 4", "stop", "array_above_max_length"),
    ({"tools": []}, "empty array", "tools", "empty_array"),
    ({"tools": None}, "but got null", "tools", "invalid_type"),
    ({"tools": [{"type": "function"}]}, "Missing required", "tools[0].function",
     "missing_required_parameter"),
    ({"tools": [{"function": {"name": "f"}}]}, "Missing required", "tools[0].type",
     "missing_required_parameter"),
    (tool(name="not a name"), "does not match pattern", "tools[0].function.name", "invalid_value"),
    (tool(name="x" * 65), "maximum length 64", "tools[0].function.name", "string_above_max_length"),
    (tool(name="f", parameters=[]), "expected an object", "tools[0].function.parameters",
     "invalid_type"),
    (tool(name="f", schema={}), "Unknown parameter", "tools[0].function.schema",
     "unknown_parameter"),
    (tool(name="f", parameters={"type": "string"}), "must be a JSON Schema of 'type: \"object\"'",
     "tools[0].function.parameters", "invalid_function_parameters"),
    (tool(name="f", parameters={"type": "object", "properties": {"a": {"type": "date"}}}),
     "'date' is not valid under any of the given schemas", "tools[0].function.parameters",
     "invalid_function_parameters"),
    (tool(name="f", strict=True, parameters={"type": "object"}),
     "'additionalProperties' is required to be supplied and to be false",
     "tools[0].function.parameters", "invalid_function_parameters"),
    ({"response_format": {"type": "json_schema", "json_schema": {
        "name": "n", "strict": True, "schema": STRICT | {"required": []}}}},
     "every key in properties. Missing 'a'.", "response_format", "invalid_json_schema"),
    ({"response_format": {"type": "json_object"}}, "must contain the word 'json'", "messages",
     None),
    ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
     "Tool choice 'g' not found", "tool_choice", None),
    ({"function_call": "auto"}, "only allowed when 'functions'", "function_call", None),
    (parts({"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}}),
     "Expected a base64-encoded data URL", "messages[0].content[0].image_url.url",
     "invalid_base64"),
    (parts({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}),
     "You uploaded an unsupported image", None, "image_parse_error"),
    (parts({"type": "image_url", "image_url": {"url": "file:///x"}}), "Expected a valid URL",
     "messages[0].content[0].image_url.url", "invalid_value"),
    (parts({"type": "file", "file": {"file_data": "data:application/pdf;base64,aGVsbG8="}}),
     "could not be read as a PDF", None, "invalid_file"),
    ({"tool_choice": "auto"}, "only allowed when 'tools' are specified", "tool_choice", None),
    ({"tools": [TOOL], "tool_choice": "f"}, "Invalid value: 'f'", "tool_choice", "invalid_value"),
    ({"parallel_tool_calls": True}, "only allowed when 'tools'", "parallel_tool_calls", None),
    ({"top_logprobs": 3}, "'logprobs' must be set", "top_logprobs", None),
    ({"response_format": {"type": "xml"}}, "Invalid value: 'xml'", "response_format.type",
     "invalid_value"),
    ({"response_format": {"type": "json_schema"}}, "Missing required",
     "response_format.json_schema", "missing_required_parameter"),
    ({"metadata": {"a": 1}}, "expected a string", "metadata.a", "invalid_type"),
    ({"metadata": {str(n): "" for n in range(17)}}, "at most 16", "metadata",
     "object_above_max_properties"),
    ({"logit_bias": {"5": 101}}, "Expected a value <= 100", "logit_bias.5",
     "decimal_above_max_value"),
    ({"reasoning_effort": "huge"}, "Invalid value: 'huge'", "reasoning_effort", "invalid_value"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "message", "param", "code"), REFUSED)
def test_what_the_vendor_refuses_is_refused(
    fake: FakeProvider, sent: Json, message: str, param: str | None, code: str | None
) -> None:
    reply = ask(fake, body() | sent)
    error = error_of(reply)
    assert message in error.pop("message")
    assert (reply.status, error) == (
        400,
        {"type": "invalid_request_error", "param": param, "code": code},
    )


@pytest.mark.parametrize(
    "sent",
    [
        saying({"role": "system", "content": "s"}, {"role": "developer", "content": "d"}, USER),
        saying(USER, CALLED, RESULT, USER, {"role": "assistant", "content": [
            {"type": "text", "text": "x"}, {"type": "refusal", "refusal": "no"}]}, USER),
        saying(USER, {"role": "assistant", "refusal": "no"}, USER),
        saying(USER, {"role": "function", "name": "f", "content": None}),
        parts({"type": "text", "text": "x"},
              {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
              {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
              {"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}}),
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}},
         "parallel_tool_calls": False},
        {"temperature": 2, "top_p": 0.5, "presence_penalty": -2, "frequency_penalty": 2, "seed": 1,
         "user": "u", "store": True, "metadata": {"a": "b"}, "stop": "x", "logit_bias": {"1": 5},
         "logprobs": True, "top_logprobs": 2, "max_completion_tokens": 5, "n": 2,
         "service_tier": "auto", "reasoning_effort": "low", "verbosity": "low",
         "modalities": ["text"], "prompt_cache_key": "k", "safety_identifier": "s",
         "response_format": {"type": "json_schema",
                             "json_schema": {"name": "n", "schema": STRICT, "strict": True}}},
        {"temperature": None, "n": None, "stop": None, "stream": None, "stream_options": None,
         "max_tokens": None, "metadata": None},
    ],
)  # fmt: skip
def test_what_the_vendor_accepts_is_accepted(fake: FakeProvider, sent: Json) -> None:
    reply = ask(fake, body() | sent)
    assert reply.status == 200, reply.body


@pytest.mark.parametrize(
    ("authorization", "code"),
    [(None, None), ("Basic abc", None), ("Bearer ", None), ("Bearer sk-two", "invalid_api_key"),
     ("Bearer sk-one ", "ok"), ("bearer sk-one", "ok")],
)  # fmt: skip
def test_the_key_is_looked_at_first(
    fake: FakeProvider, authorization: str | None, code: str | None
) -> None:
    headers = {"content-type": "application/json"}
    headers |= {"authorization": authorization} if authorization else {}
    reply = ask(fake, body(model="fake" if code == "ok" else "none"), headers=headers)
    assert reply.status == (200 if code == "ok" else 401)
    if code != "ok":
        assert error_of(reply)["code"] == code
        assert error_of(reply)["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"[]", 400, None),
        (b'{"model":"fake","messages":[{"role":"user","content":"\\ud800"}]}', 400, None),
        (b'{"model":"fake","messages":[{"role":"user","content":"\xff"}]}', 400, None),
        (b"[" * 100_000, 400, None),
        (b'{"messages":[{"role":"user","content":"x"}]}', 400, None),
        (b'{"model":"fake"}', 400, "missing_required_parameter"),
        (b'{"model":"gone","messages":[{"role":"user","content":"x"}]}', 404, "model_not_found"),
    ],
)
def test_a_body_that_is_no_request_is_refused(
    fake: FakeProvider, sent: bytes, status: int, code: str | None
) -> None:
    reply = ask(fake, sent)
    assert (reply.status, error_of(reply)["code"]) == (status, code)


def test_routes_methods_and_content_types_are_refused_like_the_vendor(fake: FakeProvider) -> None:
    key = {"authorization": "Bearer sk-one"}
    assert ask(fake, {}, path="/v1/nothing").status == 404
    assert ask(fake, b"", method="GET").status == 405
    assert ask(fake, {}, path="/v1/models").status == 405
    form = key | {"content-type": "application/x-www-form-urlencoded"}
    assert error_of(ask(fake, body(), headers=form))["code"] == "unsupported_content_type"
    utf8 = key | {"content-type": "application/json; charset=utf-8"}
    assert ask(fake, body(), headers=utf8).status == 200


def test_models_are_listed_and_looked_up(fake: FakeProvider) -> None:
    listing = ask(fake, b"", method="GET", path="/v1/models").json()
    assert listing["object"] == "list"
    assert {"fake", "fake-echo", "fake-words", "fake-slow"} <= {c["id"] for c in listing["data"]}
    card = ask(fake, b"", method="GET", path="/v1/models/fake-slow").json()
    assert card in listing["data"]
    assert set(card) == {"id", "object", "created", "owned_by"}
    missing = ask(fake, b"", method="GET", path="/v1/models/none")
    assert (missing.status, error_of(missing)["code"]) == (404, "model_not_found")


def test_a_server_on_ones_own_machine_may_ask_for_no_key() -> None:
    with fake_provider(key="") as fake:
        headers = {"content-type": "application/json"}
        assert ask(fake, body(), headers=headers).status == 200


def error_of(reply: Reply) -> dict[str, str]:
    answer = reply.json()
    assert list(answer) == ["error"]
    assert set(answer["error"]) == {"message", "type", "param", "code"}
    return answer["error"]
