"""The shapes of OpenAI's chat completions, as far as we write or read them.

What is written is what the vendor documents. What is read is wider: many servers speak this wire,
and fields may be absent, null, of an older form or unknown. Source:
https://platform.openai.com/docs/api-reference/chat
"""

from typing import Literal, TypeAlias

import msgspec

from cartrita.domain.json import JsonObject, JsonValue

LimitField: TypeAlias = Literal["max_tokens", "max_completion_tokens"]


class Variant(msgspec.Struct, frozen=True):
    """Where one house's wire differs from the next one's.

    OpenAI's reasoning models refuse `max_tokens`; most other servers know nothing else.
    """

    limit_field: LimitField = "max_tokens"


class FunctionSpec(msgspec.Struct, frozen=True):
    """A function on offer."""

    name: str
    description: str
    parameters: JsonObject


class ToolOffer(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A tool on offer: always a function."""

    function: FunctionSpec


class FunctionName(msgspec.Struct, frozen=True):
    """A function by its name."""

    name: str


class ForcedTool(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """The tool that must be called."""

    function: FunctionName


class CalledFunction(msgspec.Struct, frozen=True):
    """A function call as history; `arguments` is JSON text."""

    name: str
    arguments: str


class PastCall(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A tool call as history."""

    id: str
    function: CalledFunction


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """Words among other parts."""

    text: str


class ImageUrl(msgspec.Struct, frozen=True):
    """Where an image is; `data:` included."""

    url: str


class ImagePart(msgspec.Struct, frozen=True, tag_field="type", tag="image_url"):
    """An image."""

    image_url: ImageUrl


class AudioData(msgspec.Struct, frozen=True):
    """Base64 of a recording, and `wav` or `mp3`."""

    data: str
    format: str


class AudioPart(msgspec.Struct, frozen=True, tag_field="type", tag="input_audio"):
    """A recording."""

    input_audio: AudioData


class FileData(msgspec.Struct, frozen=True):
    """A file as a `data:` URL."""

    filename: str
    file_data: str


class FilePart(msgspec.Struct, frozen=True, tag_field="type", tag="file"):
    """A document."""

    file: FileData


ContentPart: TypeAlias = TextPart | ImagePart | AudioPart | FilePart


class SystemMessage(msgspec.Struct, frozen=True, tag_field="role", tag="system"):
    """Instructions."""

    content: str


class UserMessage(msgspec.Struct, frozen=True, tag_field="role", tag="user"):
    """What a person says."""

    content: str | list[ContentPart]


class AssistantMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="role", tag="assistant"
):
    """What the model said; null content where it only called tools."""

    content: str | None
    tool_calls: list[PastCall] | None = None


class ToolMessage(msgspec.Struct, frozen=True, tag_field="role", tag="tool"):
    """What a tool answered."""

    tool_call_id: str
    content: str


WireMessage: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage


class JsonFormat(msgspec.Struct, frozen=True, tag_field="type", tag="json_object"):
    """Any JSON object."""


class NamedSchema(msgspec.Struct, frozen=True):
    """A JSON Schema with the name that the wire requires."""

    name: str
    schema: JsonObject


class SchemaFormat(msgspec.Struct, frozen=True, tag_field="type", tag="json_schema"):
    """JSON that fits a schema."""

    json_schema: NamedSchema


class StreamOptions(msgspec.Struct, frozen=True):
    """Asks for the chunk that holds the usage."""

    include_usage: bool = True


class Body(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A request."""

    model: str
    messages: list[WireMessage]
    stream: bool = False
    stream_options: StreamOptions | None = None
    tools: list[ToolOffer] | None = None
    tool_choice: str | ForcedTool | None = None
    response_format: JsonFormat | SchemaFormat | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: list[str] | None = None
    seed: int | None = None


class TokenDetails(msgspec.Struct, frozen=True):
    """Parts of a token count."""

    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct, frozen=True):
    """Token counts; `prompt_cache_hit_tokens` is DeepSeek's word for the cached ones."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: TokenDetails | None = None
    completion_tokens_details: TokenDetails | None = None
    prompt_cache_hit_tokens: int | None = None


class FunctionPiece(msgspec.Struct, frozen=True):
    """A piece of a function call; some servers send its arguments as an object at once."""

    name: str | None = None
    arguments: str | JsonObject | None = None


class CallPiece(msgspec.Struct, frozen=True):
    """A piece of a tool call."""

    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None


class UrlCitation(msgspec.Struct, frozen=True):
    """A source on the web."""

    url: str | None = None
    title: str | None = None


class Annotation(msgspec.Struct, frozen=True):
    """A remark on the text; only citations are read."""

    url_citation: UrlCitation | None = None


class ContentPiece(msgspec.Struct, frozen=True):
    """A part of content that comes as a list."""

    text: str | None = None


class Spoken(msgspec.Struct, frozen=True):
    """What a choice says: a delta of a stream, or the message of a whole answer."""

    content: str | list[ContentPiece] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[CallPiece] | None = None
    annotations: list[Annotation] | None = None


class Choice(msgspec.Struct, frozen=True):
    """One of the answers; we ask for one only."""

    index: int | None = None
    delta: Spoken | None = None
    message: Spoken | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct, frozen=True):
    """A chunk of a stream, or a whole answer."""

    choices: list[Choice | None] | None = None
    usage: WireUsage | None = None
    model: str | None = None
    error: JsonValue = None


class ListedModel(msgspec.Struct, frozen=True):
    """One model on offer."""

    id: str


class Listing(msgspec.Struct, frozen=True):
    """The models on offer; null where a server has none yet."""

    data: list[ListedModel] | None
