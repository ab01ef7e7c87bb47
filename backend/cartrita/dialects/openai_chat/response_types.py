"""The JSON types of the answers of OpenAI's chat completions API, as they are read.

They are tolerant, because many other servers offer this API: fields may be absent, null, of an
older form or unknown. Source: https://platform.openai.com/docs/api-reference/chat
"""

import msgspec

from cartrita.domain.json import JsonObject, JsonValue


class FunctionDelta(msgspec.Struct, frozen=True):
    """A part of a function call; some servers send all arguments at once, as an object."""

    name: str | None = None
    arguments: str | JsonObject | None = None


class CustomDelta(msgspec.Struct, frozen=True):
    """A part of a call of a custom tool, whose input is any text."""

    name: str | None = None
    input: str | None = None


class ToolCallDelta(msgspec.Struct, frozen=True):
    """A part of a tool call."""

    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None
    custom: CustomDelta | None = None


class ReasoningDetail(msgspec.Struct, frozen=True):
    """A block of reasoning, or a part of one, as OpenRouter and Cartrita send it.

    `signature` and `data` seal it; `format` tells whose seal that is. Source:
    https://openrouter.ai/docs/use-cases/reasoning-tokens
    """

    type: str | None = None
    text: str | None = None
    summary: str | None = None
    data: str | None = None
    signature: str | None = None
    format: str | None = None
    id: str | None = None
    index: int | None = None


class UrlCitation(msgspec.Struct, frozen=True):
    """A web page that the answer cites."""

    url: str | None = None
    title: str | None = None
    content: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class Annotation(msgspec.Struct, frozen=True):
    """An annotation of the text; only URL citations are read."""

    url_citation: UrlCitation | None = None


class ContentDelta(msgspec.Struct, frozen=True):
    """A part of content that is sent as a list."""

    text: str | None = None


class MessageDelta(msgspec.Struct, frozen=True):
    """The delta of a streamed choice, or the message of one that is not streamed."""

    content: str | list[ContentDelta] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallDelta] | None = None
    annotations: list[Annotation] | None = None


class Logprobs(msgspec.Struct, frozen=True):
    """The log probabilities of the tokens of a choice."""

    content: list[JsonObject] | None = None


class Choice(msgspec.Struct, frozen=True):
    """One of the alternative answers; only one is requested."""

    index: int | None = None
    delta: MessageDelta | None = None
    message: MessageDelta | None = None
    logprobs: Logprobs | None = None
    finish_reason: str | None = None


class Completion(msgspec.Struct, frozen=True):
    """A chunk of a stream, or a completion that is not streamed."""

    choices: list[Choice | None] | None = None
    usage: JsonValue = None
    id: str | None = None
    created: int | None = None
    model: str | None = None
    error: JsonValue = None
