"""How messages name files, and hold what is in them."""

from typing import Final

from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Text
from cartrita.surfaces.v1.own_files import FileFields, Loaded


def _id_of(block: JsonObject) -> JsonValue:
    source = block.get("source") if block.get("type") in ("image", "document") else None
    return source.get("file_id") if isinstance(source, dict) else None


def _block(block: JsonObject, held: Loaded) -> JsonObject:
    kept: JsonObject = {}
    if "cache_control" in block:
        kept["cache_control"] = block["cache_control"]
    if isinstance(held, Text):
        return {"type": "text", "text": held.text, **kept}
    data = (held.url or "").partition(",")[2]
    source: JsonObject = {"type": "base64", "media_type": held.media_type, "data": data}
    return {"type": "image", "source": source, **kept}


MESSAGE_FILES: Final = FileFields(_id_of, _block)
