"""Renders the content of messages and of tools' results, as input and as output."""

from collections.abc import Iterable
from typing import Final

from cartrita.dialects.losses import Losses, UnsendableFile
from cartrita.dialects.openai_responses import DIALECT
from cartrita.domain.file_places import cited_place
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Citation,
    Part,
    Refusal,
    Text,
    ToolContent,
    VendorPart,
)

_AUDIO: Final = {
    **dict.fromkeys(("audio/wav", "audio/x-wav", "audio/wave"), "wav"),
    **dict.fromkeys(("audio/mpeg", "audio/mp3"), "mp3"),
}
_TTLS: Final = ("30m", "12h")


class ContentRendering:
    """Renders the content of one request; what it cannot carry goes to `losses`.

    `own` is true where the request came in this dialect, and its cache breakpoints are kept.
    """

    def __init__(self, losses: Losses, *, own: bool) -> None:
        self._losses = losses
        self._own = own

    def input_parts(self, parts: Iterable[Part]) -> list[JsonValue]:
        """The content of a user's or system's message. Raises InvalidInput for unloaded files."""
        rendered: list[JsonValue] = []
        for part in parts:
            if isinstance(part, Text | Attachment | VendorPart):
                rendered.extend(self._input_part(part))
            elif isinstance(part, Citation) and part.vendor:
                self._losses.dropped(
                    "messages.citations", "Only answers have citations in this format.", part
                )
        return rendered

    def result(self, content: tuple[ToolContent, ...]) -> JsonValue:
        """The output of a tool: text where it is nothing else, otherwise a list of parts."""
        match content:
            case (Text(text=text, cache=None),):
                return text
            case ():
                return ""
            case _:
                return self.input_parts(content)

    def _input_part(self, part: Text | Attachment | VendorPart) -> Iterable[JsonValue]:
        if isinstance(part, VendorPart):
            if part.origin == DIALECT:
                yield part.data
            else:
                self._losses.dropped(
                    f"messages.{part.data.get('type')}", "OpenAI has no such content.", part, "type"
                )
            return
        rendered: JsonObject
        if isinstance(part, Text):
            rendered = {"type": "input_text", "text": part.text}
        else:
            rendered = self._attachment(part)
        if part.cache is not None:
            rendered |= self._breakpoint(part, part.cache)
        yield rendered

    def _attachment(self, part: Attachment) -> JsonObject:
        for name, value in (("context", part.context), ("citations", part.cited)):
            if value:
                self._losses.dropped(
                    f"messages.{name}", "OpenAI takes none with a document.", part, name
                )
        return attachment(part)

    def _breakpoint(self, part: Text | Attachment, cache: CacheBreakpoint) -> JsonObject:
        if not self._own:
            self._losses.approximated(
                "messages.cache_control", "OpenAI caches prompts by itself.", part, "cache_control"
            )
            return {}
        ttl: JsonObject = {"ttl": cache.ttl} if cache.ttl in _TTLS else {}
        return {"prompt_cache_breakpoint": {"mode": "explicit", **ttl}}


def attachment(part: Attachment) -> JsonObject:
    """An image, audio or any other file. Raises InvalidInput if it has not been loaded."""
    if part.url is None:
        raise UnsendableFile(part, "it is not loaded")
    if part.media_type.startswith("image/"):
        return {"type": "input_image", "image_url": part.url, "detail": part.detail or "auto"}
    if part.media_type in _AUDIO and part.url.startswith("data:"):
        data = part.url.partition(",")[2]
        audio: JsonObject = {"data": data, "format": _AUDIO[part.media_type]}
        return {"type": "input_audio", "input_audio": audio}
    file: JsonObject = {"type": "input_file"}
    if part.url.startswith("data:"):
        file |= {"file_data": part.url, "filename": part.name or "file"}
    else:
        file["file_url"] = part.url
        if part.name is not None:
            file["filename"] = part.name
    if part.detail is not None:
        file["detail"] = part.detail
    return file


def output_parts(parts: Iterable[Part]) -> list[JsonValue]:
    """Text with its citations, and refusals, as the content of an assistant's message.

    The vendor knows no file that is stored here: where one is cited, the text has its mark.
    """
    rendered: list[JsonObject] = []
    annotations: list[JsonValue] = []
    for part in parts:
        if isinstance(part, Text):
            annotations = []
            rendered.append(output_text(part.text, annotations))
        elif isinstance(part, Refusal):
            annotations = []
            rendered.append({"type": "refusal", "refusal": part.text})
        elif isinstance(part, Citation) and rendered and rendered[-1]["type"] == "output_text":
            if cited_place(part) is not None:
                continue
            text = rendered[-1]["text"]
            length = len(text) if isinstance(text, str) else 0
            if (found := annotation(part, 0, length)) is not None:
                annotations.append(found)
    return list(rendered)


def output_text(text: str, annotations: list[JsonValue]) -> JsonObject:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}


def annotation(citation: Citation, start: int, end: int) -> JsonObject | None:
    """A citation as an annotation; None if this API has none for it.

    `start` and `end` delimit the text that it stands behind, where it has no indexes of its own.
    """
    if citation.origin == DIALECT and citation.vendor:
        return citation.vendor
    if (place := cited_place(citation)) is not None:
        return {
            "type": "file_citation",
            "file_id": place.file_id,
            "filename": place.name,
            "index": end,
        }
    if citation.url is None:
        return None
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title,
        "start_index": start if citation.start is None else citation.start,
        "end_index": end if citation.end is None else citation.end,
    }
