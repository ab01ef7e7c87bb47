"""The JSON types of OpenAI's chat completions API, as far as they are written or read.

Requests contain only what OpenAI documents. Responses are read more tolerantly, because many other
servers offer this API: fields may be absent, null, of an older form or unknown. Source:
https://platform.openai.com/docs/api-reference/chat
"""

from typing import Literal, TypeAlias

import msgspec

from cartrita.domain.json import JsonObject, JsonValue

LimitField: TypeAlias = Literal["max_tokens", "max_completion_tokens"]


class ServerOptions(msgspec.Struct, frozen=True):
    """How one server's API differs from another's.

    `limit_field` is the field for the limit of output tokens: OpenAI's reasoning models refuse
    `max_tokens`, and most other servers support no other.
    """

    limit_field: LimitField = "max_tokens"


class FunctionSpec(msgspec.Struct, frozen=True):
    """The definition of a function that the model may call."""

    name: str
    description: str
    parameters: JsonObject


class Tool(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A tool that the model may call: always a function."""

    function: FunctionSpec


class FunctionName(msgspec.Struct, frozen=True):
    """A reference to a function."""

    name: str


class ForcedTool(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A tool choice: the model must call this function."""

    function: FunctionName


class CalledFunction(msgspec.Struct, frozen=True):
    """The function of a past tool call; `arguments` is JSON text."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A past tool call in an assistant message."""

    id: str
    function: CalledFunction


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """Text in a message that has several parts."""

    text: str


class ImageUrl(msgspec.Struct, frozen=True):
    """The URL of an image; it may be a `data:` URL."""

    url: str


class ImagePart(msgspec.Struct, frozen=True, tag_field="type", tag="image_url"):
    """An image in a user message."""

    image_url: ImageUrl


class AudioData(msgspec.Struct, frozen=True):
    """Audio as base64; `format` is `wav` or `mp3`."""

    data: str
    format: str


class AudioPart(msgspec.Struct, frozen=True, tag_field="type", tag="input_audio"):
    """Audio in a user message."""

    input_audio: AudioData


class FileData(msgspec.Struct, frozen=True):
    """A file as a `data:` URL."""

    filename: str
    file_data: str


class FilePart(msgspec.Struct, frozen=True, tag_field="type", tag="file"):
    """A file in a user message."""

    file: FileData


ContentPart: TypeAlias = TextPart | ImagePart | AudioPart | FilePart


class SystemMessage(msgspec.Struct, frozen=True, tag_field="role", tag="system"):
    """The instructions of the model."""

    content: str


class UserMessage(msgspec.Struct, frozen=True, tag_field="role", tag="user"):
    """A message of the user."""

    content: str | list[ContentPart]


class AssistantMessage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="role", tag="assistant"
):
    """An answer of the model; `content` is null if it only called tools."""

    content: str | None
    tool_calls: list[ToolCall] | None = None


class ToolMessage(msgspec.Struct, frozen=True, tag_field="role", tag="tool"):
    """The result of a tool call."""

    tool_call_id: str
    content: str


RequestMessage: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage


class JsonFormat(msgspec.Struct, frozen=True, tag_field="type", tag="json_object"):
    """A response format: any JSON object."""


class NamedSchema(msgspec.Struct, frozen=True):
    """A JSON Schema and its name, which the API requires."""

    name: str
    schema: JsonObject


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
    tools: list[Tool] | None = None
    tool_choice: str | ForcedTool | None = None
    response_format: JsonFormat | SchemaFormat | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: list[str] | None = None
    seed: int | None = None


class TokenDetails(msgspec.Struct, frozen=True):
    """A breakdown of a token count."""

    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct, frozen=True):
    """Token counts; DeepSeek reports cached tokens as `prompt_cache_hit_tokens`."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: TokenDetails | None = None
    completion_tokens_details: TokenDetails | None = None
    prompt_cache_hit_tokens: int | None = None


class FunctionDelta(msgspec.Struct, frozen=True):
    """A part of a function call; some servers send all arguments at once, as an object."""

    name: str | None = None
    arguments: str | JsonObject | None = None


class ToolCallDelta(msgspec.Struct, frozen=True):
    """A part of a tool call."""

    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None


class UrlCitation(msgspec.Struct, frozen=True):
    """A web page that the answer cites."""

    url: str | None = None
    title: str | None = None


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
    refusal: str | None = None
    tool_calls: list[ToolCallDelta] | None = None
    annotations: list[Annotation] | None = None


class Choice(msgspec.Struct, frozen=True):
    """One of the alternative answers; only one is requested."""

    index: int | None = None
    delta: MessageDelta | None = None
    message: MessageDelta | None = None
    finish_reason: str | None = None


class Completion(msgspec.Struct, frozen=True):
    """A chunk of a stream, or a completion that is not streamed."""

    choices: list[Choice | None] | None = None
    usage: Usage | None = None
    model: str | None = None
    error: JsonValue = None


class ListedModel(msgspec.Struct, frozen=True):
    """A model in the list."""

    id: str


class ModelList(msgspec.Struct, frozen=True):
    """The list of models; `data` is null on a server that has none."""

    data: list[ListedModel] | None
