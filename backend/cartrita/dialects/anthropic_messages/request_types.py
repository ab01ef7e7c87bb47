"""The JSON types of requests to Anthropic's Messages API: those that we send, and those we get.

Source: https://platform.claude.com/docs/en/api/messages and the types of the `anthropic` package.
"""

from typing import Literal, TypeAlias

import msgspec

from cartrita.domain.json import JsonObject

ImageType: TypeAlias = Literal["image/jpeg", "image/png", "image/gif", "image/webp"]


class CacheControl(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cache breakpoint; `ttl` is the time that the cache is kept."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class TextBlock(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="text"):
    """Text; `citations` are those of an earlier answer."""

    text: str
    cache_control: CacheControl | None = None
    citations: list[JsonObject] | None = None


class ImageData(msgspec.Struct, frozen=True, tag_field="type", tag="base64"):
    """The base64 of an image."""

    media_type: ImageType
    data: str


class UrlSource(msgspec.Struct, frozen=True, tag_field="type", tag="url"):
    """The address of an image or of a PDF."""

    url: str


class ImageBlock(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="image"):
    """An image."""

    source: ImageData | UrlSource
    cache_control: CacheControl | None = None


class PdfData(msgspec.Struct, frozen=True, tag_field="type", tag="base64"):
    """The base64 of a PDF."""

    media_type: Literal["application/pdf"]
    data: str


class PlainText(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """A document of plain text; `data` is the text itself."""

    media_type: Literal["text/plain"]
    data: str


class CitationsConfig(msgspec.Struct, frozen=True):
    """Whether the answer should cite a document."""

    enabled: bool = False


class DocumentBlock(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="document"
):
    """A document."""

    source: PdfData | PlainText | UrlSource
    title: str | None = None
    context: str | None = None
    citations: CitationsConfig | None = None
    cache_control: CacheControl | None = None


class ToolUseBlock(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="tool_use"
):
    """A past tool call."""

    id: str
    name: str
    input: JsonObject
    cache_control: CacheControl | None = None


ResultBlock: TypeAlias = TextBlock | ImageBlock | DocumentBlock | JsonObject


class ToolResultBlock(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="tool_result"
):
    """The result of a tool call."""

    tool_use_id: str
    content: str | list[ResultBlock] | None = None
    is_error: bool = False
    cache_control: CacheControl | None = None
    toolset_name: str | None = None


class ThinkingBlock(msgspec.Struct, frozen=True, tag_field="type", tag="thinking"):
    """Past reasoning, with the proof that the model wrote it."""

    thinking: str
    signature: str


class RedactedThinkingBlock(msgspec.Struct, frozen=True, tag_field="type", tag="redacted_thinking"):
    """Past reasoning that only Anthropic can read."""

    data: str


Block: TypeAlias = (
    TextBlock
    | ImageBlock
    | DocumentBlock
    | ToolUseBlock
    | ToolResultBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | JsonObject
)
"""A block of a message's content; one that only Anthropic knows is the object itself."""


class InputMessage(msgspec.Struct, frozen=True):
    """A message of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class Tool(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool that the caller runs; `input_schema` is a JSON Schema of an object."""

    name: str
    input_schema: JsonObject
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None


class ToolChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the model should use the tools; `name` is given with the type `tool`."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether and how much the model reasons; `display` says what is shown of it."""

    type: str
    budget_tokens: int | None = None
    display: str | None = None


class JsonFormat(msgspec.Struct, frozen=True, tag_field="type", tag="json_schema"):
    """An answer that is JSON of a schema."""

    schema: JsonObject


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asks."""

    user_id: str | None = None


class Request(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The body of a request; `output_config` may hold what only Anthropic knows."""

    model: str
    max_tokens: int
    messages: list[InputMessage]
    system: str | list[TextBlock] | None = None
    stream: bool = False
    tools: list[Tool | JsonObject] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: JsonObject | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    metadata: Metadata | None = None
    context_management: JsonObject | None = None
