"""Parses the content of messages and of tools' results."""

from typing import Final, cast

from cartrita.dialects import data_urls
from cartrita.dialects.openai_refusals import missing, refusal, wrong_type
from cartrita.dialects.openai_responses import DIALECT, json_checks
from cartrita.domain.file_places import FilePlace
from cartrita.domain.files import is_file_id
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

_AUDIO: Final = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_INPUT: Final = ("input_text", "input_image", "input_file", "input_audio", "computer_screenshot")
_OUTPUT: Final = ("output_text", "refusal")
_RESULT: Final = ("input_text", "input_image", "input_file")


def parse_input(content: JsonValue, path: str) -> tuple[Part, ...]:
    """The content of a user's, system's or developer's message: text, or a list of parts."""
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_input_part(part, at, _INPUT) for part, at in _parts(content, path))


def parse_result(output: JsonValue, path: str) -> tuple[ToolContent, ...]:
    """The output of a function call: text, or a list of parts."""
    if isinstance(output, str):
        return (Text(output),)
    return tuple(_input_part(part, at, _RESULT) for part, at in _parts(output, path))


def parse_output(content: JsonValue, path: str) -> tuple[Part, ...]:
    """The content of an assistant's message: text, or a list of parts with their citations."""
    if isinstance(content, str):
        return (Text(content),)
    found: list[Part] = []
    for part, at in _parts(content, path):
        kind = json_checks.choice(part, "type", at, _OUTPUT)
        if kind is None:
            raise missing(f"{at}.type")
        if kind == "refusal":
            found.append(Refusal(json_checks.string(part, "refusal", at)))
            continue
        found.append(Text(json_checks.string(part, "text", at)))
        found.extend(_citations(part, at))
    return tuple(found)


def citation(annotation: JsonObject, index: int) -> Citation:
    """A citation from an annotation; those without an address keep the annotation itself."""
    url, start, end = (annotation.get(name) for name in ("url", "start_index", "end_index"))
    title = annotation.get("title") or annotation.get("filename") or url
    address = url if isinstance(url, str) else None
    named = annotation.get("file_id")
    if isinstance(named, str) and is_file_id(named) and isinstance(title, str):
        return Citation(title, FilePlace(named, title).url, index=index)
    known = annotation.get("type") == "url_citation" and address is not None
    return Citation(
        title if isinstance(title, str) else "",
        address,
        index=index,
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
        origin=None if known else DIALECT,
        vendor={} if known else annotation,
    )


def _citations(part: JsonObject, path: str) -> list[Citation]:
    annotations = part.get("annotations") or []
    return [
        citation(json_checks.as_object(each, f"{path}.annotations[{n}]"), n + 1)
        for n, each in enumerate(json_checks.as_list(annotations, f"{path}.annotations"))
    ]


def _parts(content: JsonValue, path: str) -> list[tuple[JsonObject, str]]:
    if content is None:
        raise missing(path)
    if not isinstance(content, list):
        raise wrong_type(path, "one of an array of objects or string", content)
    parts = cast("list[JsonValue]", content)
    return [
        (json_checks.as_object(part, f"{path}[{n}]"), f"{path}[{n}]")
        for n, part in enumerate(parts)
    ]


def _input_part(part: JsonObject, path: str, supported: tuple[str, ...]) -> ToolContent:
    kind = json_checks.choice(part, "type", path, supported)
    match kind:
        case "input_text":
            return Text(json_checks.string(part, "text", path), _breakpoint(part, path))
        case "input_image":
            return _image(part, path)
        case "input_file":
            return _file(part, path)
        case "input_audio":
            return _audio(part, path)
        case None:
            raise missing(f"{path}.type")
        case _:
            return VendorPart(DIALECT, part)


def _image(part: JsonObject, path: str) -> Attachment:
    url = json_checks.optional_string(part, "image_url", path)
    file_id = json_checks.optional_string(part, "file_id", path)
    if url is None and file_id is None:
        raise missing(f"{path}.image_url")
    if url is not None and not url.startswith(("data:", "http://", "https://")):
        problem = f"Invalid '{path}.image_url'. Expected a valid URL, but got a value with an "
        raise refusal(f"{path}.image_url", problem + "invalid format.", "invalid_value")
    if url is not None:
        _check_data(url, "image/", f"{path}.image_url")
    detail = json_checks.choice(part, "detail", path, ("low", "high", "auto", "original"))
    return Attachment(
        _media_type(url, "image/*"),
        attachment_id=file_id if url is None else None,
        url=url,
        detail=None if detail == "auto" else detail,
        cache=_breakpoint(part, path),
    )


def _file(part: JsonObject, path: str) -> Attachment:
    data = json_checks.optional_string(part, "file_data", path)
    url = data or json_checks.optional_string(part, "file_url", path)
    file_id = json_checks.optional_string(part, "file_id", path)
    if not url and file_id is None:
        raise missing(f"{path}.file_data")
    if data:
        _check_data(data if data.startswith("data:") else "data:", "", f"{path}.file_data")
    detail = json_checks.choice(part, "detail", path, ("low", "high", "auto"))
    return Attachment(
        _media_type(url, "application/octet-stream"),
        attachment_id=None if url else file_id,
        url=url,
        name=json_checks.optional_string(part, "filename", path),
        detail=None if detail == "auto" else detail,
        cache=_breakpoint(part, path),
    )


def _audio(part: JsonObject, path: str) -> Attachment:
    audio = json_checks.optional_object(part, "input_audio", path)
    kind = json_checks.choice(audio, "format", f"{path}.input_audio", _AUDIO)
    if kind is None:
        raise missing(f"{path}.input_audio.format")
    data = json_checks.string(audio, "data", f"{path}.input_audio")
    return Attachment(_AUDIO[kind], url=f"data:{_AUDIO[kind]};base64,{data}")


def _check_data(url: str, media_type: str, path: str) -> None:
    """Refuse a `data:` URL that is not base64, or of another kind of file."""
    if not url.startswith("data:"):
        return
    data = data_urls.parse(url)
    if data is None or not data.is_valid or not data.media_type.lower().startswith(media_type):
        kind = f" with a MIME type of {media_type}*" if media_type else ""
        problem = f"Invalid '{path}'. Expected a base64-encoded data URL{kind}."
        raise refusal(path, problem, "invalid_value")
    if media_type == "image/" and not data.is_image:
        problem = (
            "You uploaded an unsupported image. Please make sure your image has one of the "
            "following formats: ['png', 'jpeg', 'gif', 'webp']."
        )
        raise refusal(path, problem, "invalid_image_format")


def _media_type(url: str | None, default: str) -> str:
    """That of a `data:` URL; a guess for any other."""
    if url is None or not url.startswith("data:"):
        return "application/pdf" if url and url.lower().endswith(".pdf") else default
    return url[5:].split(",")[0].split(";")[0].lower() or default


def _breakpoint(part: JsonObject, path: str) -> CacheBreakpoint | None:
    if part.get("prompt_cache_breakpoint") is None:
        return None
    told = json_checks.optional_object(part, "prompt_cache_breakpoint", path)
    return CacheBreakpoint(
        json_checks.choice(told, "ttl", f"{path}.prompt_cache_breakpoint", ("30m", "12h"))
    )
