"""Contents: as much of messages, answers and results as is told, without secrets and files."""

import base64
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import msgspec

from cartrita.adapters.tracing.policies import ContentPolicy
from cartrita.dialects.secret_masking import masked as masked_secrets
from cartrita.domain.deltas import Delta, RefusalDelta, TextDelta, ToolCallDelta
from cartrita.domain.json import JsonValue
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
from cartrita.kit.masking import MASK, SENSITIVE, masked
from cartrita.kit.secret import Secret

_BEYOND: Final = 4096
"""Characters after those that are told which are looked at too: a secret may be cut there."""
_SHORTEST_SECRET: Final = 8
_LONGEST_NAME: Final = 200
"""Of those that come again, and are masked once."""
_DATA: Final = re.compile(r"(;base64,)[A-Za-z0-9+/=_-]+")
_LONG_WORD: Final = re.compile(r"[A-Za-z0-9+/=_-]{400,}")
"""What is no word of any language, but a file in Base64."""
_DEEPEST: Final = 8
_MOST_ITEMS: Final = 200


class Contents:
    """What is told by a policy: everything but secrets and files, only shapes, or nothing.

    A text is told up to `most` characters, and so are all messages of a request together, the last
    ones first. `secrets` are those of this server.
    """

    def __init__(self, policy: ContentPolicy, most: int, secrets: Iterable[Secret] = ()) -> None:
        self._policy = policy
        self._most = most
        self._secrets = tuple(one for one in secrets if len(one.reveal()) >= _SHORTEST_SECRET)
        self._signs = tuple(sign for one in self._secrets for sign in _signs(one.reveal()))
        self._names = lru_cache(maxsize=4096)(self._cut)

    @property
    def kept(self) -> bool:
        """Whether anything is told."""
        return self._policy != "none"

    def name(self, name: str) -> str:
        """A name, which is told by any policy: a caller may have put a secret in its place."""
        return self._names(name) if len(name) <= _LONGEST_NAME else self._cut(name)

    def text(self, text: str | None) -> JsonValue:
        """A text, or how long it is."""
        if text is None or not self.kept:
            return None
        return self._cut(text) if self._policy == "full" else {"characters": len(text)}

    def joined(self, told: JsonValue, more: JsonValue) -> JsonValue:
        """Two texts as they are told of one, which is no longer than one may be."""
        match told, more:
            case str(), str():
                both = f"{told} {more}"
                if len(both) <= self._most:
                    return both
                return told if len(told) >= self._most else f"{both[: self._most]}..."
            case {"characters": int(first)}, {"characters": int(second)}:
                return {"characters": first + 1 + second}
            case _:
                return told if more is None else more

    def words(self, words: Sequence[str]) -> JsonValue:
        """Short texts that a caller wrote, as many as find room, or how many there are."""
        if not words or not self.kept:
            return None
        if self._policy == "redacted":
            return len(words)
        told: list[JsonValue] = []
        room = self._most
        for word in words:
            if room <= 0:
                break
            rendered = self._cut(word)
            told.append(rendered)
            room -= len(rendered) + 1
        return told

    def result(self, value: JsonValue) -> JsonValue:
        """The result of a call: the names of its fields are contents, too."""
        if self._policy == "redacted" and isinstance(value, dict):
            return {"fields": len(value)}
        return self.value(value)

    def value(self, value: JsonValue) -> JsonValue:
        """The arguments of a call."""
        if not self.kept:
            return None
        if isinstance(value, str):
            return self.text(value)
        if self._policy == "redacted":
            return self._shape(value)
        told = self._plain(value, _DEEPEST)
        octets = msgspec.json.encode(told)
        return told if len(octets) <= self._most else self._cut(octets.decode())

    def question(self, request: ModelRequest) -> JsonValue:
        """What the user of a request said last."""
        asked = [one for one in request.messages if one.role is Role.USER]
        return self.text(asked[-1].text) if asked else None

    def request(self, request: ModelRequest) -> JsonValue:
        """The messages of a request, those that find no room left out at the beginning."""
        if not self.kept:
            return None
        said = list(request.messages)
        if request.instructions:
            said.insert(0, Message(Role.SYSTEM, request.instructions))
        told: list[JsonValue] = []
        room = self._most
        for message in reversed(said):
            if room <= 0:
                told.append({"role": "system", "left_out": len(said) - len(told)})
                break
            rendered = self._message(message)
            told.append(rendered)
            room -= len(msgspec.json.encode(rendered))
        return told[::-1]

    def answer(self, deltas: Sequence[Delta]) -> JsonValue:
        """What a model said, as the message of an assistant."""
        if not self.kept:
            return None
        text, calls = answer_parts(deltas)
        answer: dict[str, JsonValue] = {"role": "assistant", "content": self.text(text)}
        if calls:
            answer["tool_calls"] = [self._call(name, arguments) for name, arguments in calls]
        return answer

    def _call(self, name: str, arguments: str) -> JsonValue:
        try:
            parsed: JsonValue = msgspec.json.decode(arguments or "{}")
        except msgspec.DecodeError:
            parsed = arguments
        return {"name": self.name(name), "arguments": self.value(parsed)}

    def _message(self, message: Message) -> dict[str, JsonValue]:
        parts = message.parts
        if len(parts) == 1 and isinstance(parts[0], Text):
            return {"role": message.role.value, "content": self.text(parts[0].text)}
        told = [self._part(part) for part in parts[:_MOST_ITEMS]]
        return {"role": message.role.value, "content": told}

    def _part(self, part: Part) -> JsonValue:
        match part:
            case Text(text=text):
                return {"type": "text", "text": self.text(text)}
            case Refusal(text=text):
                return {"type": "refusal", "text": self.text(text)}
            case Reasoning(text=text):
                return {"type": "reasoning", "text": self.text(text)}
            case Citation(title=title):
                return {"type": "citation", "title": self.text(title)}
            case _:
                return self._part_of_tools(part)

    def _part_of_tools(self, part: Attachment | ToolCall | ToolResult | VendorPart) -> JsonValue:
        match part:
            case Attachment():
                return self._file(part)
            case ToolCall(call_id=call_id, name=name, arguments=arguments):
                named = {"id": self._cut(call_id), "name": self.name(name)}
                return {"type": "tool_call", **named, "arguments": self.value(arguments)}
            case ToolResult(call_id=call_id):
                content: list[JsonValue] = [self._part(one) for one in part.content]
                return {"type": "tool_result", "id": self._cut(call_id), "content": content}
            case VendorPart(origin=origin):
                return {"type": "vendor", "origin": origin}

    def _file(self, file: Attachment) -> JsonValue:
        """A file by its id and size, never what is in it, and never its address."""
        told: dict[str, JsonValue] = {"type": "attachment", "media_type": file.media_type}
        if file.attachment_id is not None:
            told["id"] = file.attachment_id
        elif file.url is not None:
            told["from"] = file.url[:5] if file.url.startswith("data:") else "url"
            told["characters"] = len(file.url)
        return told

    def _plain(self, value: JsonValue, depth: int) -> JsonValue:
        """A JSON value whose texts are masked, and whose values of sensitive names are not told."""
        match value:
            case str():
                return self._cut(value)
            case dict():
                pairs = list(value.items())[:_MOST_ITEMS]
                return {self._cut(name): self._named(name, one, depth) for name, one in pairs}
            case list():
                if not depth:
                    return [f"{len(value)} items"]
                return [self._plain(one, depth - 1) for one in value[:_MOST_ITEMS]]
            case _:
                return value

    def _named(self, name: str, value: JsonValue, depth: int) -> JsonValue:
        if isinstance(value, bool | int | float) or value is None:
            return value
        if SENSITIVE.search(name):
            return MASK
        return self._plain(value, depth - 1) if depth else "..."

    def _shape(self, value: JsonValue) -> JsonValue:
        match value:
            case dict():
                return {"names": [self._cut(name)[:100] for name in list(value)[:_MOST_ITEMS]]}
            case list():
                return {"items": len(value)}
            case _:
                return {"type": type(value).__name__}

    def _cut(self, text: str) -> str:
        """A text without secrets, up to as many characters as are told."""
        begun = text[: self._most + _BEYOND].encode(errors="replace").decode()
        folded = begun.lower()
        if any(sign in folded for sign in self._signs):
            begun = masked_secrets(begun, self._secrets, len(begun))
        told = _without_files(masked(begun))[: self._most]
        return told if len(text) <= self._most else f"{told}... [{len(text)} characters]"


def answer_parts(deltas: Iterable[Delta]) -> tuple[str, list[tuple[str, str]]]:
    """The text of an answer, and the names and arguments of its calls."""
    pieces: list[str] = []
    calls: dict[int, tuple[list[str], list[str]]] = {}
    for delta in deltas:
        match delta:
            case TextDelta(text=text) | RefusalDelta(text=text):
                pieces.append(text)
            case ToolCallDelta(index=index, name=name, arguments=arguments):
                names, fragments = calls.setdefault(index, ([], []))
                names.append(name or "")
                fragments.append(arguments)
            case _:
                pass
    return "".join(pieces), [("".join(names), "".join(texts)) for names, texts in calls.values()]


def _without_files(text: str) -> str:
    """A text in which no file stands as Base64."""
    return _LONG_WORD.sub(MASK, _DATA.sub(rf"\1{MASK}", text))


def _signs(secret: str) -> Iterable[str]:
    """What is in the small letters of a text that has this secret, in one encoding or another."""
    octets = secret.encode()
    yield secret.lower()
    yield octets.hex()
    yield quote(secret, safe="").lower()
    yield "".join(f"%{octet:02x}" for octet in octets)
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + octets).rstrip(b"=").decode().lower()
        core = encoded[4:-4] if len(encoded) > 16 else encoded
        yield core
        yield core.replace("+", "-").replace("/", "_")
