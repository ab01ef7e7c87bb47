"""How chat completions and responses name files, and hold what is in them."""

from typing import Final

from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Text
from cartrita.surfaces.v1.own_files import FileFields, Loaded


def _id_in_chat(part: JsonObject) -> JsonValue:
    file = part.get("file") if part.get("type") == "file" else None
    return file.get("file_id") if isinstance(file, dict) else None


def _chat_part(_: JsonObject, held: Loaded) -> JsonObject:
    if isinstance(held, Text):
        return {"type": "text", "text": held.text}
    return {"type": "image_url", "image_url": {"url": held.url}}


def _id_in_response(part: JsonObject) -> JsonValue:
    return part.get("file_id") if part.get("type") in ("input_file", "input_image") else None


def _response_part(part: JsonObject, held: Loaded) -> JsonObject:
    if isinstance(held, Text):
        return {"type": "input_text", "text": held.text}
    return {"type": "input_image", "image_url": held.url, "detail": part.get("detail") or "auto"}


CHAT_FILES: Final = FileFields(_id_in_chat, _chat_part)
RESPONSE_FILES: Final = FileFields(_id_in_response, _response_part)
