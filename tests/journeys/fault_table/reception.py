"""What a client of each surface has received, read from the bytes and from nothing else.

Events are read as strictly as the official clients do: what these break on is malformed here.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from cartrita.kit import sse

End: TypeAlias = Literal["answer", "refused", "error event", "no end", "cut", "hang", "malformed"]
"""How it ended.

A whole answer, an error response, an error event at the end of a stream; or what must never be: a
stream that ends with neither, a broken connection, nothing within the watchdog, other bytes.
"""
_READABLE = 1 << 30
Document: TypeAlias = dict[str, Any]


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One response.

    `code` is what programs read of an error: `type/code` at OpenAI, `type` at Anthropic, `code` at
    the native API. `why` says what is malformed. `failed` are the providers of `failovers`.
    """

    end: End
    status: int = 0
    text: str = ""
    code: str = ""
    why: str = ""
    provider: str = ""
    retry_after: str = ""
    failed: tuple[str, ...] = ()
    tools: int = 0


class Heard(msgspec.Struct):
    """What the events of a stream have said so far; `ends` are its ends, in their order."""

    text: str = ""
    code: str = ""
    provider: str = ""
    failed: tuple[str, ...] = ()
    tools: int = 0
    ends: list[End] = msgspec.field(default_factory=list[End])


def read(
    surface: "Reader", status: int, headers: Mapping[str, str], body: bytes, *, cut: bool = False
) -> Received:
    """The response as its client sees it; `cut` where the connection broke before its end."""
    heard, why = Heard(), ""
    try:
        if status != 200:
            heard.ends.append("refused")
            heard.code = surface.error_code(json.loads(body))
        elif headers.get("content-type", "").startswith("text/event-stream"):
            why = _read_stream(surface, body, heard)
        else:
            surface.read_whole(json.loads(body), heard)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        why = why or f"{type(error).__name__}: {error}"
    if len(heard.ends) > 1:
        why = f"several ends: {heard.ends}"
    end: End = heard.ends[0] if heard.ends else "no end"
    if b"Traceback (most recent" in body:
        why = "a traceback"
    return Received(
        end="cut" if cut else "malformed" if why else end,
        status=status,
        text=heard.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
        code=heard.code,
        why=why or (f"HTTP {status}" if heard.ends else body[-200:].decode("utf-8", "replace")),
        provider=heard.provider or headers.get("x-cartrita-provider", ""),
        retry_after=headers.get("retry-after", ""),
        failed=heard.failed,
        tools=heard.tools,
    )


def _read_stream(surface: "Reader", body: bytes, heard: Heard) -> str:
    body.decode()  # half a sequence of UTF-8 is nothing that may be sent
    for frame in sse.Parser(max_line=_READABLE).feed(body):
        surface.read_event(frame, heard)
    tail = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return "" if tail.endswith(b"\n\n") else f"ends within an event: {body[-100:]!r}"


class Reader(msgspec.Struct, frozen=True):
    """How the answers of one surface are read."""

    error_code: Callable[[Document], str]
    read_whole: Callable[[Document, Heard], None]
    read_event: Callable[[sse.Frame, Heard], None]


def _openai_error(document: Document) -> str:
    error = document["error"]
    assert set(error) == {"message", "type", "param", "code"}, error
    return f"{error['type']}/{error['code']}"


def _read_metadata(document: Document, heard: Heard) -> None:
    told = (document.get("metadata") or {}).get("failovers") or ()
    heard.failed = tuple(one["provider"] for one in told) or heard.failed


def _read_completion(document: Document, heard: Heard) -> None:
    choice = document["choices"][0]
    heard.text = choice["message"]["content"] or ""
    heard.tools = len(choice["message"].get("tool_calls") or ())
    _read_metadata(document, heard)
    if choice["finish_reason"]:
        heard.ends.append("answer")


def _read_chunk(frame: sse.Frame, heard: Heard) -> None:
    if frame.data == "[DONE]":
        heard.ends.append("answer")
        return
    chunk = json.loads(frame.data)
    if "error" in chunk:
        heard.code = _openai_error(chunk)
        heard.ends.append("error event")
        return
    _read_metadata(chunk, heard)
    for choice in chunk["choices"]:
        delta = choice["delta"]
        heard.text += delta.get("content") or ""
        heard.tools += sum("id" in call for call in delta.get("tool_calls") or ())


def _anthropic_error(document: Document) -> str:
    assert document["type"] == "error"
    assert document["error"]["message"]
    return str(document["error"]["type"])


def _read_message(document: Document, heard: Heard) -> None:
    heard.text = "".join(b["text"] for b in document["content"] if b["type"] == "text")
    heard.tools = sum(b["type"] == "tool_use" for b in document["content"])
    _read_metadata(document, heard)
    if document["stop_reason"]:
        heard.ends.append("answer")


def _read_message_event(frame: sse.Frame, heard: Heard) -> None:
    event = json.loads(frame.data)
    match event["type"]:
        case "message_stop":
            heard.ends.append("answer")
        case "error":
            heard.code = _anthropic_error(event)
            heard.ends.append("error event")
        case "content_block_delta":
            delta = event["delta"]
            heard.text += delta["text"] if delta["type"] == "text_delta" else ""
        case "content_block_start":
            heard.tools += event["content_block"]["type"] == "tool_use"
        case "message_delta":
            _read_metadata(event, heard)
        case _:
            pass


def _output_text(response: Document) -> str:
    parts = [part for item in response["output"] for part in item.get("content") or ()]
    return "".join(part.get("text", "") for part in parts if part["type"] == "output_text")


def _read_response(document: Document, heard: Heard) -> None:
    heard.text = _output_text(document)
    heard.tools = sum(item["type"] == "function_call" for item in document["output"])
    _read_metadata(document, heard)
    if document["status"] == "completed":
        heard.ends.append("answer")


def _read_response_event(frame: sse.Frame, heard: Heard) -> None:
    event = json.loads(frame.data)
    match event["type"]:
        case "response.completed":
            heard.ends.append("answer")
            _read_metadata(event["response"], heard)
        case "response.failed":
            assert event["response"]["status"] == "failed"
            heard.ends.append("error event")
        case "error":
            heard.code = _openai_error(event)
        case "response.output_text.delta":
            heard.text += event["delta"]
        case "response.output_item.added":
            heard.tools += event["item"]["type"] == "function_call"
        case _:
            pass


def _native_error(document: Document) -> str:
    assert {"detail", "error", "code", "details", "request_id"} <= set(document)
    return str(document["code"])


def _read_chat(document: Document, heard: Heard) -> None:
    heard.text = document["response"]
    heard.provider = document["provider"]
    heard.failed = tuple(one["provider"] for one in document["metadata"].get("failovers") or ())
    heard.ends.append("answer")


def _read_chat_event(frame: sse.Frame, heard: Heard) -> None:
    event = json.loads(frame.data)
    data = event["data"]
    match event["event"]:
        case "done":
            assert data["final_response"] == heard.text
            heard.ends.append("answer")
        case "error":
            heard.code = data["code"]
            heard.ends.append("error event")
        case "token":
            heard.text += data["delta"]
        case "function_call":
            heard.tools += 1
        case _:
            pass


CHAT = Reader(_openai_error, _read_completion, _read_chunk)
MESSAGES = Reader(_anthropic_error, _read_message, _read_message_event)
RESPONSES = Reader(_openai_error, _read_response, _read_response_event)
NATIVE = Reader(_native_error, _read_chat, _read_chat_event)
