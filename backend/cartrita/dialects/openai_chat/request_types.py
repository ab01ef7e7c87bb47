"""The JSON types of the requests of OpenAI's chat completions API, as they are written.

They contain only what OpenAI documents, and `reasoning_content` and `reasoning_details`, which go
only to servers that sent them. Source: https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from cartrita.domain.json import JsonObject

LimitField: TypeAlias = Literal["max_tokens", "max_completion_tokens"]


class ServerOptions(msgspec.Struct, frozen=True):
    """How one server's API differs from another's.

    `limit_field` is the field for the limit of output tokens: OpenAI's reasoning models refuse
    `max_tokens`, and most other servers support no other.
    """

    limit_field: LimitField = "max_tokens"

    @property
    def most_stops(self) -> int | None:
        """How many stop sequences it takes; None where that is not known."""
        return 4 if self.limit_field == "max_completion_tokens" else None


class FunctionSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """The definition of a function that the model may call."""

    name: str
    description: str = ""
    parameters: JsonObject = {}
    strict: bool | None = None


class Tool(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A tool that the model may call."""

    function: FunctionSpec


class ToolName(msgspec.Struct, frozen=True):
    """A reference to a tool."""

    name: str


class ForcedTool(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A tool choice: the model must call this function."""

    function: ToolName


class ForcedCustomTool(msgspec.Struct, frozen=True, tag_field="type", tag="custom"):
    """A tool choice: the model must call this custom tool."""

    custom: ToolName


class CalledFunction(msgspec.Struct, frozen=True):
    """The function of a past tool call; `arguments` is JSON text."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A past tool call in an assistant message."""

    id: str
    function: CalledFunction


class Breakpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """The end of what should be cached."""

    mode: Literal["explicit"]
    ttl: str | None = None


class TextPart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="text"):
    """Text in a message that has several parts."""

    text: str
    prompt_cache_breakpoint: Breakpoint | None = None


class ImageUrl(msgspec.Struct, frozen=True, omit_defaults=True):
    """The URL of an image; it may be a `data:` URL."""

    url: str
    detail: str | None = None


class ImagePart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="image_url"):
    """An image in a user message."""

    image_url: ImageUrl
    prompt_cache_breakpoint: Breakpoint | None = None


class AudioData(msgspec.Struct, frozen=True):
    """Audio as base64; `format` is `wav` or `mp3`."""

    data: str
    format: str


class AudioPart(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="input_audio"
):
    """Audio in a user message."""

    input_audio: AudioData
    prompt_cache_breakpoint: Breakpoint | None = None


class FileData(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file as a `data:` URL, or one that was uploaded before."""

    filename: str | None = None
    file_data: str | None = None
    file_id: str | None = None


class FilePart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="file"):
    """A file in a user message."""

    file: FileData
    prompt_cache_breakpoint: Breakpoint | None = None


ContentPart: TypeAlias = TextPart | ImagePart | AudioPart | FilePart


class SystemMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="role", tag="system"
):
    """The instructions of the model."""

    content: str | list[TextPart]
    name: str | None = None


class UserMessage(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="role", tag="user"):
    """A message of the user."""

    content: str | list[ContentPart]
    name: str | None = None


class AssistantMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="role", tag="assistant"
):
    """An answer of the model; `content` is null if it only called tools."""

    content: str | list[TextPart] | None
    refusal: str | None = None
    tool_calls: list[ToolCall | JsonObject] | None = None
    name: str | None = None
    audio: JsonObject | None = None
    reasoning_content: str | None = None
    reasoning_details: list[JsonObject] | None = None


class ToolMessage(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="role", tag="tool"):
    """The result of a tool call."""

    tool_call_id: str
    content: str | list[TextPart]


RequestMessage: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage


class JsonFormat(msgspec.Struct, frozen=True, tag_field="type", tag="json_object"):
    """A response format: any JSON object."""


class NamedSchema(msgspec.Struct, frozen=True, omit_defaults=True):
    """A JSON Schema and its name, which the API requires."""

    name: str
    schema: JsonObject
    description: str | None = None
    strict: bool | None = None


class SchemaFormat(msgspec.Struct, frozen=True, tag_field="type", tag="json_schema"):
    """A response format: JSON that is valid against a schema."""

    json_schema: NamedSchema


class StreamOptions(msgspec.Struct, frozen=True):
    """Requests a final chunk with the usage."""

    include_usage: bool = True


class Request(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The body of a request."""

    model: str
    messages: list[RequestMessage]
    stream: bool = False
    stream_options: StreamOptions | None = None
    tools: list[Tool | JsonObject] | None = None
    tool_choice: str | ForcedTool | ForcedCustomTool | None = None
    parallel_tool_calls: bool | None = None
    response_format: JsonFormat | SchemaFormat | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: Mapping[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    user: str | None = None
