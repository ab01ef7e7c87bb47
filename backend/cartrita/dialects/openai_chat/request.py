"""Renders a model request as the body of a chat completion.

What this wire has no place for stays out: reasoning (servers refuse or ignore it) and citations
(their marks are in the text already).
"""

from collections.abc import Iterator

import msgspec

from cartrita.dialects.openai_chat.types import (
    AssistantMessage,
    AudioData,
    AudioPart,
    Body,
    CalledFunction,
    ContentPart,
    FileData,
    FilePart,
    ForcedTool,
    FunctionName,
    FunctionSpec,
    ImagePart,
    ImageUrl,
    JsonFormat,
    NamedSchema,
    PastCall,
    SchemaFormat,
    StreamOptions,
    SystemMessage,
    TextPart,
    ToolMessage,
    ToolOffer,
    UserMessage,
    Variant,
    WireMessage,
)
from cartrita.domain.errors import InvalidInput
from cartrita.domain.messages import Attachment, Message, Role, Text, ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest, ResponseFormat
from cartrita.domain.tools import NamedTool, ToolChoice

_AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
_encode = msgspec.json.Encoder().encode


def render(request: ModelRequest, variant: Variant) -> bytes:
    """The JSON body of a streamed call that reports its usage.

    Raises InvalidInput for an attachment that this wire cannot carry.
    """
    sampling = request.sampling
    renamed = variant.limit_field == "max_completion_tokens"
    return _encode(
        Body(
            model=request.model,
            messages=list(_messages(request)),
            stream=True,
            stream_options=StreamOptions(),
            tools=_tools(request) or None,
            tool_choice=_choice(request.tool_choice) if request.tools else None,
            response_format=_format(request.response_format),
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=None if renamed else sampling.max_tokens,
            max_completion_tokens=sampling.max_tokens if renamed else None,
            stop=list(sampling.stop) or None,
            seed=sampling.seed,
        )
    )


def _messages(request: ModelRequest) -> Iterator[WireMessage]:
    if request.instructions:
        yield SystemMessage(request.instructions)
    for message in request.messages:
        yield from _results(message)
        if message.role is Role.ASSISTANT:
            yield from _assistant(message)
        elif message.role is Role.USER:
            yield from _user(message)


def _results(message: Message) -> Iterator[ToolMessage]:
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield ToolMessage(part.call_id, part.text)


def _assistant(message: Message) -> Iterator[AssistantMessage]:
    calls = [
        PastCall(part.call_id, CalledFunction(part.name, _encode(part.arguments).decode()))
        for part in message.parts
        if isinstance(part, ToolCall)
    ]
    text = message.text
    if text or calls:  # an answer that broke off before its first word says nothing
        yield AssistantMessage(text or None, calls or None)


def _user(message: Message) -> Iterator[UserMessage]:
    parts = [part for part in message.parts if isinstance(part, Text | Attachment)]
    if any(isinstance(part, Attachment) for part in parts):
        yield UserMessage([_part(part) for part in parts])
    elif parts:
        yield UserMessage(message.text)


def _part(part: Text | Attachment) -> ContentPart:
    if isinstance(part, Text):
        return TextPart(part.text)
    if part.url is None:
        raise _unsendable(part, "it has not been loaded")
    if part.media_type.startswith("image/"):
        return ImagePart(ImageUrl(part.url))
    if not part.url.startswith("data:"):
        raise _unsendable(part, "only images can be sent by address; upload the file instead")
    if part.media_type in _AUDIO_FORMATS:
        data = part.url.partition(",")[2]
        return AudioPart(AudioData(data, _AUDIO_FORMATS[part.media_type]))
    return FilePart(FileData(part.name or "file", part.url))


def _unsendable(part: Attachment, why: str) -> InvalidInput:
    return InvalidInput.of("attachments", f"{part.name or part.media_type} cannot be sent: {why}")


def _tools(request: ModelRequest) -> list[ToolOffer]:
    return [
        ToolOffer(FunctionSpec(tool.name, tool.description, tool.parameters))
        for tool in request.tools
    ]


def _choice(choice: ToolChoice) -> str | ForcedTool | None:
    if isinstance(choice, NamedTool):
        return ForcedTool(FunctionName(choice.name))
    return None if choice == "auto" else choice


def _format(wanted: ResponseFormat) -> JsonFormat | SchemaFormat | None:
    if wanted.kind == "json":
        return JsonFormat()
    if wanted.kind == "json_schema":
        return SchemaFormat(NamedSchema(wanted.name or "answer", wanted.schema or {}))
    return None
