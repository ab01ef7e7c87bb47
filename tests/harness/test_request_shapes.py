"""The scripted upstream takes what the official SDKs can send, and nothing that they cannot."""

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.openai.errors import OpenAIRefusal
from tests.harness.fake_provider.openai.words import OpenAIWords
from tests.harness.fake_provider.shape_checks import Shapes
from tests.harness.request_shapes import FOLDER, REQUESTS
from tests.harness.request_shapes import Shapes as WrittenShapes

CHAT = "CompletionCreateParamsNonStreaming"
USER: dict[str, Any] = {"role": "user", "content": "Hi"}


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as fake:
        yield fake


@pytest.mark.parametrize("name", REQUESTS)
def test_the_files_are_those_of_the_installed_sdks(name: str) -> None:
    written = (FOLDER / f"{name}.json").read_bytes()
    assert WrittenShapes(*REQUESTS[name]).file() == written, "run: poe request-shapes"


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}},
        {"moderation": {"model": "omni-moderation-latest"}},
        {"tools": [{"type": "custom", "custom": {"name": "f", "format": {"type": "text"}}}]},
        {"service_tier": None, "stop": None, "reasoning_effort": None},
        {"prediction": {"type": "content", "content": [{"type": "text", "text": "x"}]}},
        {"logit_bias": {"5": -100}, "metadata": {"a": "b"}, "user": "u"},
        {"messages": [USER, {"role": "assistant", "content": "Hi", "annotations": []}]},
    ],
)
def test_what_the_sdk_can_send_is_taken(fields: dict[str, Any]) -> None:
    Shapes("openai_chat", OpenAIWords(), {}).check(
        CHAT, {"model": "m", "messages": [USER], **fields}
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt_cache_options": {"mode": "never"}}, "Invalid value: 'never'"),
        ({"messages": [{**USER, "content": [{"type": "text"}]}]}, "'messages[0].content[0].text'"),
        ({"tools": [{"type": "custom"}]}, "'tools[0].custom'"),
        ({"tools": [3]}, "expected an object, but got an integer"),
        ({"audio": {"format": "wav", "voice": 5}}, "'audio.voice': expected"),
        ({"logit_bias": {"5": "x"}}, "'logit_bias.5': expected an integer"),
        ({"messages": [{"role": True, "content": "x"}]}, "'messages[0].role': expected one of"),
        ({"parallel_tool_calls": None}, "expected a boolean, but got null"),
        ({"stop": {}}, "expected one of a string or array of strings, but got an object"),
    ],
)
def test_what_the_sdk_cannot_send_is_refused(fields: dict[str, Any], message: str) -> None:
    shapes = Shapes("openai_chat", OpenAIWords(), {})
    with pytest.raises(OpenAIRefusal) as refusal:
        shapes.check(CHAT, {"model": "m", "messages": [USER], **fields})
    assert message in str(refusal.value)


def test_an_answer_is_sent_back_as_it_came(provider: FakeProvider) -> None:
    with OpenAI(base_url=provider.base_url, api_key=provider.key, max_retries=0) as client:
        messages: list[Any] = [USER]
        messages.append(
            client.chat.completions.create(model="fake", messages=messages).choices[0].message
        )
        messages.append(USER)
        assert client.chat.completions.create(model="fake", messages=messages).choices
        said: list[Any] = [USER]
        said += client.responses.create(model="fake", input=said).output
        said.append(USER)
        assert client.responses.create(model="fake", input=said).output
