"""Bodies of requests to the Messages API, for the tests of this folder."""

import base64
from typing import Any

from cartrita.domain.json import JsonObject

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n....").decode()
PDF = base64.b64encode(b"%PDF-1.7 ...").decode()
SCHEMA: JsonObject = {"type": "object", "properties": {"a": {"type": "number"}}}
TOOL: JsonObject = {"name": "add", "description": "Adds.", "input_schema": SCHEMA}
CALL: JsonObject = {"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}}
RESULT: JsonObject = {"type": "tool_result", "tool_use_id": "t1", "content": "3"}
EPHEMERAL: JsonObject = {"type": "ephemeral"}


def user(*content: Any) -> JsonObject:
    return {"role": "user", "content": list(content)}


def assistant(*content: Any) -> JsonObject:
    return {"role": "assistant", "content": list(content)}


def text(words: str = "hi", **more: Any) -> JsonObject:
    return {"type": "text", "text": words, **more}


def body(*messages: JsonObject, **fields: Any) -> JsonObject:
    plain: JsonObject = {"role": "user", "content": "hi"}
    return {"model": "claude-x", "max_tokens": 10, "messages": [*messages] or [plain], **fields}
