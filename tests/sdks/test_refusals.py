"""The official clients read which of their fields was refused, and the vendor's code."""

import json
from typing import Any

import anthropic
import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import Server
from tests.sdks import targets

AUDIO = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
CITATION = {
    "type": "char_location",
    "cited_text": "Be brief.",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 9,
}
OPENAI = ["openai_chat", "openai_responses"]


def refused(param: str | None, code: str | None) -> str:
    told = {"message": "No.", "type": "invalid_request_error", "param": param, "code": code}
    body = json.dumps({"error": told})
    return "Hello" + directive(Script(faults=(ReplacedResponse(status=400, body=body),)))


def chat(target: targets.Target, content: Any, **fields: Any) -> openai.BadRequestError:
    with (
        OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as client,
        pytest.raises(openai.BadRequestError) as failure,
    ):
        client.chat.completions.create(
            model=target.model, messages=[{"role": "user", "content": content}], **fields
        )
    return failure.value


def message(server: Server, upstream: str, **fields: Any) -> Any:
    target = targets.through(upstream, server)
    asked: Any = {"max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}], **fields}
    with Anthropic(base_url=target.root_url, api_key=target.key, max_retries=0) as client:
        return client.messages.with_raw_response.create(model=target.model, **asked)


@pytest.mark.parametrize(("param", "code"), [("seed", None), ("n", "odd"), (None, None)])
def test_a_relayed_refusal_is_told_exactly(
    server: Server, provider: FakeProvider, param: str | None, code: str | None
) -> None:
    for target in (
        targets.direct("openai_chat", provider),
        targets.through("openai_chat", server),
    ):
        error = chat(target, refused(param, code))
        told = (error.type, error.param, error.code)
        assert told == ("invalid_request_error", param, code)


@pytest.mark.parametrize(
    ("param", "told"),
    [("max_output_tokens", "max_completion_tokens"), ("input[0].content", "messages")],
)
def test_a_refusal_of_a_translated_request_names_the_field_that_was_sent(
    server: Server, param: str, told: str
) -> None:
    assert chat(targets.through("openai_responses", server), refused(param, None)).param == told


def test_a_refused_field_that_was_not_sent_is_not_named(server: Server) -> None:
    target = targets.through("openai_responses", server)
    assert chat(target, refused("include[0]", "invalid_value")).param is None


def test_a_file_that_cannot_be_sent_is_refused_where_it_was_sent(server: Server) -> None:
    error = chat(
        targets.through("anthropic_messages", server), [{"type": "text", "text": "Hear"}, AUDIO]
    )
    told = (error.type, error.param, error.code)
    assert told == (
        "invalid_request_error",
        "messages[0].content[1].input_audio.data",
        "unsupported_value",
    )
    assert "attachments" not in error.message


def test_choices_that_are_too_few_or_too_many(server: Server) -> None:
    target = targets.through("openai_chat", server)
    assert chat(target, "Hello", n=0).code == "integer_below_min_value"
    assert chat(target, "Hello", n=129).code == "integer_above_max_value"


@pytest.mark.parametrize("upstream", OPENAI)
def test_a_request_that_only_fills_a_cache_is_answered_in_few_tokens(
    server: Server, upstream: str
) -> None:
    """Anthropic takes a limit of no tokens; OpenAI caches what it reads, but says something."""
    answer = message(server, upstream, max_tokens=0)
    [receipt] = json.loads(answer.headers["x-cartrita-receipts"])
    assert (receipt["field"], receipt["kind"]) == ("max_tokens", "approximated")
    assert answer.parse().usage.output_tokens <= 16
    strict = {"X-Cartrita-Strict": "true"}
    with pytest.raises(anthropic.BadRequestError, match="max_tokens: OpenAI takes no limit below"):
        message(server, upstream, max_tokens=0, extra_headers=strict)


def test_a_request_that_only_fills_a_cache_is_relayed(server: Server) -> None:
    answer = message(server, "anthropic_messages", max_tokens=0)
    assert "x-cartrita-receipts" not in answer.headers
    told = answer.parse()
    assert ("".join(part.text for part in told.content), told.stop_reason) == ("", "max_tokens")
    assert told.usage.input_tokens > 0


@pytest.mark.parametrize("upstream", OPENAI)
def test_citations_of_the_system_have_a_receipt(server: Server, upstream: str) -> None:
    cited = {"type": "text", "text": "Be brief.", "citations": [CITATION]}
    between: Any = {"role": "system", "content": [cited]}
    said = [{"role": "user", "content": "Hello"}, between]
    answer = message(server, upstream, messages=said)
    [receipt] = json.loads(answer.headers["x-cartrita-receipts"])
    assert (receipt["field"], receipt["kind"]) == ("messages.citations", "dropped")


@pytest.mark.parametrize("upstream", OPENAI)
def test_stop_sequences_that_are_too_many_have_a_receipt(server: Server, upstream: str) -> None:
    stops = ["1", "2", "3", "4", "5"]
    answer = message(server, upstream, stop_sequences=stops)
    [receipt] = json.loads(answer.headers["x-cartrita-receipts"])
    assert receipt["field"] == "stop_sequences"
    strict = {"X-Cartrita-Strict": "true"}
    with pytest.raises(anthropic.BadRequestError, match="stop_sequences"):
        message(server, upstream, stop_sequences=stops, extra_headers=strict)
