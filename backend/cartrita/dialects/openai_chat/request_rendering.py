"""Renders a model request as the body of a chat completion request.

Reasoning is left out, because servers refuse or ignore it, and so are citations, because their
marks are already in the text.
"""

from collections.abc import Iterator

import msgspec

from cartrita.dialects.losses import Rendered
from cartrita.dialects.openai_chat import types as wire
from cartrita.dialects.openai_chat.types import ServerOptions
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


def render(request: ModelRequest, options: ServerOptions, *, stream: bool = True) -> Rendered:
    """The JSON body of a call; a streamed one reports its usage.

    Raises InvalidInput for an attachment that cannot be sent in this format.
    """
    sampling = request.sampling
    renamed = options.limit_field == "max_completion_tokens"
    body = _encode(
        wire.Request(
            model=request.model,
            messages=list(_messages(request)),
            stream=stream,
            stream_options=wire.StreamOptions() if stream else None,
            tools=_tools(request) or None,
            tool_choice=_tool_choice(request.tool_choice) if request.functions else None,
            response_format=_response_format(request.response_format),
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=None if renamed else sampling.max_tokens,
            max_completion_tokens=sampling.max_tokens if renamed else None,
            stop=list(sampling.stop) or None,
            seed=sampling.seed,
        )
    )
    return Rendered(body)


def _messages(request: ModelRequest) -> Iterator[wire.RequestMessage]:
    if request.instructions:
        yield wire.SystemMessage(request.instructions_text)
    for message in request.messages:
        match message.role:
            case Role.TOOL:
                yield from _tool_messages(message)
            case Role.ASSISTANT:
                yield from _assistant_messages(message)
            case Role.SYSTEM:
                yield wire.SystemMessage(message.text)
            case Role.USER:
                yield from _user_messages(message)


def _tool_messages(message: Message) -> Iterator[wire.ToolMessage]:
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield wire.ToolMessage(part.call_id, part.text)


def _assistant_messages(message: Message) -> Iterator[wire.AssistantMessage]:
    calls = [_tool_call(part) for part in message.parts if isinstance(part, ToolCall)]
    text = message.text
    if text or calls:  # neither, if an answer broke off before its first word
        yield wire.AssistantMessage(text or None, calls or None)


def _tool_call(part: ToolCall) -> wire.ToolCall:
    arguments = _encode(part.arguments).decode()
    return wire.ToolCall(part.call_id, wire.CalledFunction(part.name, arguments))


def _user_messages(message: Message) -> Iterator[wire.UserMessage]:
    parts = [part for part in message.parts if isinstance(part, Text | Attachment)]
    if any(isinstance(part, Attachment) for part in parts):
        yield wire.UserMessage([_part(part) for part in parts])
    elif parts:
        yield wire.UserMessage(message.text)


def _part(part: Text | Attachment) -> wire.ContentPart:
    if isinstance(part, Text):
        return wire.TextPart(part.text)
    if part.url is None:
        raise _unsendable(part, "it has not been loaded")
    if part.media_type.startswith("image/"):
        return wire.ImagePart(wire.ImageUrl(part.url))
    if not part.url.startswith("data:"):
        raise _unsendable(part, "only images can be sent by address; upload the file instead")
    if part.media_type in _AUDIO_FORMATS:
        data = part.url.partition(",")[2]
        return wire.AudioPart(wire.AudioData(data, _AUDIO_FORMATS[part.media_type]))
    return wire.FilePart(wire.FileData(part.name or "file", part.url))


def _unsendable(part: Attachment, why: str) -> InvalidInput:
    return InvalidInput.of("attachments", f"{part.name or part.media_type} cannot be sent: {why}")


def _tools(request: ModelRequest) -> list[wire.Tool]:
    return [
        wire.Tool(wire.FunctionSpec(tool.name, tool.description, tool.parameters))
        for tool in request.functions
    ]


def _tool_choice(choice: ToolChoice) -> str | wire.ForcedTool | None:
    if isinstance(choice, NamedTool):
        return wire.ForcedTool(wire.FunctionName(choice.name))
    return None if choice == "auto" else choice


def _response_format(wanted: ResponseFormat) -> wire.JsonFormat | wire.SchemaFormat | None:
    if wanted.kind == "json":
        return wire.JsonFormat()
    if wanted.kind == "json_schema":
        return wire.SchemaFormat(wire.NamedSchema(wanted.name or "answer", wanted.schema or {}))
    return None
