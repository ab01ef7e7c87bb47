"""Renders the instructions and messages of a request.

Tool messages take text only, so the files of results follow them in a user message. Citations are
left out, because their marks are already in the text. Reasoning is sent back only where it came in
this dialect: other servers refuse or ignore it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import msgspec

from cartrita.dialects import data_urls
from cartrita.dialects.computer_functions import call_arguments
from cartrita.dialects.losses import Losses, UnsendableFile
from cartrita.dialects.openai_chat import DIALECT, reasoning_details
from cartrita.dialects.openai_chat import request_types as wire
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    Citation,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import ModelRequest

_AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
_encode = msgspec.json.Encoder().encode


class MessageRenderer:
    """Renders the messages of one request; what they lose is told to `losses`."""

    def __init__(self, request: ModelRequest, losses: Losses) -> None:
        self._request = request
        self._losses = losses
        self._own = request.origin == DIALECT
        self._files: list[wire.ContentPart] = []  # of the results so far

    def render(self) -> Iterator[wire.RequestMessage]:
        """All messages. Raises InvalidInput for an attachment that cannot be sent."""
        if self._request.instructions:
            yield wire.SystemMessage(self._text(self._request.instructions, "\n\n"))
        for message in self._request.messages:
            if message.role is not Role.TOOL:
                yield from self._replaced_files()
            match message.role:
                case Role.TOOL:
                    yield from self._tool_messages(message)
                case Role.ASSISTANT:
                    yield from self._assistant_message(message)
                case Role.SYSTEM:
                    yield self._system_message(message)
                case Role.USER:
                    yield from self._user_message(message)
        yield from self._replaced_files()

    def _replaced_files(self) -> Iterator[wire.UserMessage]:
        if self._files:
            yield wire.UserMessage(self._files)
            self._files = []

    def _tool_messages(self, message: Message) -> Iterator[wire.RequestMessage]:
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield self._tool_message(part)
            elif isinstance(part, Text | Attachment):
                self._files.append(self._content_part(part))
            elif isinstance(part, VendorPart):
                self._drop_vendor_part(part)

    def _tool_message(self, result: ToolResult) -> wire.ToolMessage:
        texts = [part for part in result.content if isinstance(part, Text)]
        files = [part for part in result.content if isinstance(part, Attachment)]
        if files:
            self._losses.approximated(
                "messages.tool_result",
                "Tool messages take text only: the files are sent in a user message after them.",
                files[0],
                "type",
            )
            self._files.append(wire.TextPart(f"The files of the result of {result.call_id}:"))
            self._files.extend(self._content_part(part) for part in files)
        for part in result.content:
            if isinstance(part, VendorPart):
                self._drop_vendor_part(part)
        if not result.success and self._request.origin:
            self._losses.approximated(
                "messages.tool_result.is_error",
                "Only the text of the result tells of its failure.",
                result,
                "is_error",
            )
        self._breakpoint(result, has_place=False)
        return wire.ToolMessage(result.call_id, self._text(texts))

    def _system_message(self, message: Message) -> wire.SystemMessage:
        texts = [part for part in message.parts if isinstance(part, Text)]
        self._drop_citations_and_files(message.parts)
        return wire.SystemMessage(self._text(texts), name=self._name(message.parts))

    def _user_message(self, message: Message) -> Iterator[wire.UserMessage]:
        parts = [part for part in message.parts if isinstance(part, Text | Attachment)]
        name = self._name(message.parts)
        if any(isinstance(part, Attachment) for part in parts):
            yield wire.UserMessage([self._content_part(part) for part in parts], name)
        elif parts:
            texts = [part for part in parts if isinstance(part, Text)]
            yield wire.UserMessage(cast("str | list[wire.ContentPart]", self._text(texts)), name)

    def _assistant_message(self, message: Message) -> Iterator[wire.AssistantMessage]:
        texts = [part for part in message.parts if isinstance(part, Text) and part.text]
        refusal = "".join(part.text for part in message.parts if isinstance(part, Refusal))
        calls = list(self._tool_calls(message.parts))
        fields = self._fields(message.parts)
        details, plain = self._reasoning(message.parts)
        self._drop_citations_and_files(message.parts)
        if texts or refusal or calls or fields.get("audio"):  # none, if it broke off at its start
            yield wire.AssistantMessage(
                self._text(texts) if texts else None,
                refusal=refusal or None,
                tool_calls=calls or None,
                name=cast("str | None", fields.get("name")),
                audio=cast("JsonObject | None", fields.get("audio")),
                reasoning_content=plain or None,
                reasoning_details=details or None,
            )

    def _tool_calls(self, parts: Iterable[Part]) -> Iterator[wire.ToolCall | JsonObject]:
        for part in parts:
            if isinstance(part, ToolCall):
                self._breakpoint(part, has_place=False)
                arguments = _encode(call_arguments(part, self._request.computer)).decode()
                yield wire.ToolCall(part.call_id, wire.CalledFunction(part.name, arguments))
            elif isinstance(part, VendorPart) and part.origin == DIALECT and "type" in part.data:
                yield part.data

    def _reasoning(self, parts: Iterable[Part]) -> tuple[list[JsonObject], str]:
        """The `reasoning_details` and the `reasoning_content` that are sent back."""
        details: list[JsonObject] = []
        plain = ""
        for part in parts:
            if not isinstance(part, Reasoning):
                continue
            sealed = part.signature is not None or part.encrypted is not None
            if reasoning_details.is_own(part):
                if sealed:
                    details.append(reasoning_details.render(part, len(details)))
                else:
                    plain += part.text
            elif sealed:
                self._losses.dropped(
                    "messages.reasoning", "Only the vendor that sealed reasoning can read it.", part
                )
        return details, plain

    def _drop_citations_and_files(self, parts: Iterable[Part]) -> None:
        for part in parts:
            if isinstance(part, Citation) and part.vendor:
                self._losses.dropped(
                    "messages.citations", "Messages in this format cannot hold citations.", part
                )
            elif isinstance(part, Attachment):
                self._losses.dropped(
                    "messages.attachments", "Messages of the assistant cannot hold files."
                )

    def _name(self, parts: Iterable[Part]) -> str | None:
        return cast("str | None", self._fields(parts).get("name"))

    def _fields(self, parts: Iterable[Part]) -> JsonObject:
        """The fields of the message itself that came in this dialect."""
        fields: JsonObject = {}
        for part in parts:
            if not isinstance(part, VendorPart):
                continue
            if part.origin != DIALECT:
                self._drop_vendor_part(part)
            elif "type" not in part.data:
                fields |= part.data
        return fields

    def _drop_vendor_part(self, part: VendorPart) -> None:
        why = "Parts that only another vendor understands are left out."
        self._losses.dropped("messages.content", why, part, "type")

    def _text(self, texts: Sequence[Text], between: str = "") -> str | list[wire.TextPart]:
        """The texts joined, or as parts where one of them ends a part of the cache."""
        if any(self._breakpoint(text) for text in texts):
            return [wire.TextPart(text.text, self._breakpoint(text)) for text in texts]
        return between.join(text.text for text in texts)

    def _content_part(self, part: Text | Attachment) -> wire.ContentPart:
        cache = self._breakpoint(part)
        if isinstance(part, Text):
            return wire.TextPart(part.text, cache)
        if part.context is not None or part.cited:
            self._losses.dropped(
                "messages.documents", "Documents have no context here, and are not cited.", part
            )
        if part.url is None:
            return self._uploaded_file(part, cache)
        if part.media_type.startswith("image/"):
            return wire.ImagePart(wire.ImageUrl(part.url, part.detail), cache)
        url = data_urls.parse(part.url)
        if url is None:
            raise UnsendableFile(
                part, "only images can be sent by address; upload the file instead"
            )
        if url.encoded and part.media_type in _AUDIO_FORMATS:
            return wire.AudioPart(wire.AudioData(url.data, _AUDIO_FORMATS[part.media_type]), cache)
        if part.media_type.startswith("text/") and not self._own:
            return self._document_text(part, url)
        return wire.FilePart(wire.FileData(part.name or "file", part.url), cache)

    def _uploaded_file(self, part: Attachment, cache: wire.Breakpoint | None) -> wire.FilePart:
        if not self._own or part.attachment_id is None:
            raise UnsendableFile(part, "it has not been loaded")
        return wire.FilePart(wire.FileData(part.name, file_id=part.attachment_id), cache)

    def _document_text(self, part: Attachment, url: data_urls.DataUrl) -> wire.TextPart:
        self._losses.approximated(
            "messages.documents", "A document of text is sent as text: only PDFs are files.", part
        )
        try:
            text = url.content.decode()
        except ValueError:
            raise UnsendableFile(part, "it is not text in UTF-8") from None
        return wire.TextPart(f"{part.name}:\n{text}" if part.name else text)

    def _breakpoint(
        self, part: Text | Attachment | ToolCall | ToolResult, *, has_place: bool = True
    ) -> wire.Breakpoint | None:
        cache = part.cache
        if cache is None:
            return None
        if self._own and has_place:
            return wire.Breakpoint("explicit", cache.ttl)
        why = "This API decides by itself what it caches."
        self._losses.dropped("cache_control", why, part, "cache_control")
        return None
