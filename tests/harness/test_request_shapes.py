"""The scripted upstream takes what the official SDKs can send, and nothing that they cannot."""

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI
from tests.harness.fake_provider.anthropic_messages.errors import AnthropicRefusal
from tests.harness.fake_provider.anthropic_messages.words import AnthropicWords
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.openai.errors import OpenAIRefusal
from tests.harness.fake_provider.openai.words import OpenAIWords
from tests.harness.fake_provider.shape_checks import Shapes
from tests.harness.request_shapes import FOLDER, REQUESTS
from tests.harness.request_shapes import Shapes as WrittenShapes

CHAT = "CompletionCreateParamsNonStreaming"
MESSAGE = "MessageCreateParamsNonStreaming"
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


@pytest.mark.parametrize(
    "fields",
    [
        {"thinking": {"type": "between_tools"}, "speed": "fast", "inference_geo": None},
        {"tools": [{"name": "bash", "type": "bash_20250124"}]},
        {"tools": [{"name": "f", "type": None, "input_schema": {"type": "object", "x": 1}}]},
        {"messages": [{**USER, "content": [{"type": "text", "text": "x", "citations": None}]}]},
    ],
)
def test_what_anthropics_sdk_can_send_is_taken(fields: dict[str, Any]) -> None:
    asked = {"model": "m", "max_tokens": 5, "messages": [USER], **fields}
    Shapes("anthropic_messages", AnthropicWords(), {}).check(MESSAGE, asked)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"thinking": {"type": "rarely"}}, "thinking: Input tag 'rarely' found using 'type'"),
        ({"tools": [{"type": "bash_20250124"}]}, "tools.0.bash_20250124.name: Field required"),
        ({"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
        ({"thread": {"type": "create"}}, "thread: Extra inputs are not permitted"),
        ({"metadata": None}, "metadata: Input should be an object"),
        (
            {"messages": [{**USER, "content": 3}]},
            "messages.0.content: Input should be a valid list",
        ),
        ({"messages": [{**USER, "content": [{"type": "text"}]}]}, "content.0.text.text: Field"),
    ],
)
def test_what_anthropics_sdk_cannot_send_is_refused(fields: dict[str, Any], message: str) -> None:
    asked = {"model": "m", "max_tokens": 5, "messages": [USER], **fields}
    with pytest.raises(AnthropicRefusal) as refusal:
        Shapes("anthropic_messages", AnthropicWords(), {}).check(MESSAGE, asked)
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
