"""The official clients read, from each API, that the usage of an answer is an estimate."""

import re
from typing import Any

import pytest
from anthropic import Anthropic
from openai import OpenAI
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import Server
from tests.sdks import targets
from tests.sdks.targets import UPSTREAMS

TEXT = "Hello" + directive(Script(text="Hello there", usage=False))


MARK = re.compile(r"estimated;bound=0\.\d+")


def mark_of(told: Any, field: str = "metadata") -> str:
    """What stands beside the usage, of an answer that the client can write again unchanged."""
    written = told.model_dump(mode="json")  # which warns of values that do not fit its types
    return written[field]["usage"]


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("streamed", [False, True])
def test_chat_completions(server: Server, upstream: str, streamed: bool) -> None:
    target = targets.through(upstream, server)
    asked: Any = {
        "model": target.model,
        "max_completion_tokens": 100,
        "messages": [{"role": "user", "content": TEXT}],
    }
    with OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as client:
        if streamed:
            asked["stream_options"] = {"include_usage": True}
            *_, last, with_usage = client.chat.completions.create(**asked, stream=True)
            # The finish chunk of a relayed stream was passed on before its end was known.
            marked = with_usage if upstream == "openai_chat" else last
            mark, usage = mark_of(marked), with_usage.usage
        else:
            raw = client.chat.completions.with_raw_response.create(**asked)
            completion = raw.parse()
            mark, usage = mark_of(completion), completion.usage
            assert raw.headers["X-Cartrita-Usage"] == mark
    assert usage is not None
    assert min(usage.prompt_tokens, usage.completion_tokens) > 0
    assert MARK.fullmatch(mark)


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("streamed", [False, True])
def test_messages(server: Server, upstream: str, streamed: bool) -> None:
    target = targets.through(upstream, server)
    asked: Any = {
        "model": target.model,
        "max_tokens": 100,
        "messages": [{"role": "user", "content": TEXT}],
    }
    with Anthropic(base_url=target.root_url, api_key=target.key, max_retries=0) as client:
        if streamed:
            with client.messages.stream(**asked) as stream:
                [end] = [event for event in stream if event.type == "message_delta"]
                mark, message = mark_of(end), stream.get_final_message()
        else:
            message = client.messages.create(**asked)
            mark = mark_of(message)
    assert [block.type for block in message.content] == ["text"]
    assert min(message.usage.input_tokens, message.usage.output_tokens) > 0
    assert MARK.fullmatch(mark)


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("store", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_responses(server: Server, upstream: str, streamed: bool, store: bool) -> None:
    target = targets.through(upstream, server)
    asked: Any = {"model": target.model, "input": TEXT, "store": store}
    with OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as client:
        if streamed:
            with client.responses.stream(**asked) as stream:
                response = stream.get_final_response()
        else:
            response = client.responses.create(**asked)
        again = client.responses.retrieve(response.id) if store else response
    for each in (response, again):
        assert each.output_text == "Hello there"
        assert each.usage is not None
        assert min(each.usage.input_tokens, each.usage.output_tokens) > 0
        assert MARK.fullmatch(mark_of(each, "cartrita"))


@pytest.mark.parametrize("path", ["chat", "messages", "responses"])
def test_an_answer_with_a_reported_usage_is_not_marked(server: Server, path: str) -> None:
    other = "anthropic_messages" if path != "messages" else "openai_chat"
    target = targets.through(other, server)
    openai = OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0)
    with openai, Anthropic(base_url=target.root_url, api_key=target.key, max_retries=0) as client:
        answer: Any
        if path == "chat":
            answer = openai.chat.completions.create(
                model=target.model,
                max_completion_tokens=100,
                messages=[{"role": "user", "content": "Hello"}],
            )
        elif path == "messages":
            answer = client.messages.create(
                model=target.model,
                max_tokens=100,
                messages=[{"role": "user", "content": "Hello"}],
            )
        else:
            answer = openai.responses.create(model=target.model, input="Hello", store=False)
    told = answer.model_dump(mode="json")
    assert "usage" not in (told.get("metadata") or told.get("cartrita") or {})
