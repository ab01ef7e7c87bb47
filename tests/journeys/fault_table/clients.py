"""The clients of the table: a request of each surface, sent over a socket and read to its end."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from tests.harness import raw_http
from tests.harness.server import KEY
from tests.journeys.fault_table import reception
from tests.journeys.fault_table.reception import Reader, Received

Mode: TypeAlias = Literal["stream", "whole"]
Family: TypeAlias = Literal["openai", "anthropic", "native"]
WATCHDOG_S = 90.0
"""More than ten times what the longest answer of these tests takes."""

_HEADERS = {
    "Content-Type": "application/json",
    "Authorization": f"Bearer {KEY}",
    "anthropic-version": "2023-06-01",
}
_FUNCTION = {"name": "f", "parameters": {"type": "object"}}


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    """One face of the server.

    `own` is its dialect, which it relays unless it `stores` what it answers; `other` is one that it
    translates to. `family` is whose errors it sends.
    """

    name: str
    path: str
    family: Family
    own: str
    other: str
    reader: Reader
    stores: bool = False
    fields: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    streamed: dict[str, Any] = msgspec.field(default_factory=lambda: {"stream": True})

    @property
    def dialects(self) -> tuple[str, str]:
        return self.own, self.other

    def relays(self, dialect: str) -> bool:
        """Whether it passes on what an upstream of this dialect says."""
        return dialect == self.own and not self.stores

    def tells_failovers(self, mode: Mode, dialect: str) -> bool:
        """Whether its answers name the deployments that failed; relays cannot."""
        if self.family == "native":
            return mode == "whole"
        return self.name == CHAT.name and not self.relays(dialect)

    @property
    def begins_at_once(self) -> bool:
        """Whether its streams begin before anything is known of the answer."""
        return self.family == "native"

    def body(self, model: str, prompt: str, mode: Mode) -> dict[str, Any]:
        """A request of this surface."""
        body: dict[str, Any] = {"model": model, **self.fields}
        if self.family == "native":
            body["message"] = prompt
        elif self.path == "/v1/responses":
            body["input"] = prompt
        else:
            body["messages"] = [{"role": "user", "content": prompt}]
        return {**body, **self.streamed} if mode == "stream" else body


CHAT = Surface(
    name="chat",
    path="/v1/chat/completions",
    family="openai",
    own="openai_chat",
    other="anthropic_messages",
    reader=reception.CHAT,
    fields={"tools": [{"type": "function", "function": _FUNCTION}]},
)
MESSAGES = Surface(
    name="messages",
    path="/v1/messages",
    family="anthropic",
    own="anthropic_messages",
    other="openai_chat",
    reader=reception.MESSAGES,
    fields={"tools": [{"name": "f", "input_schema": {"type": "object"}}], "max_tokens": 100_000},
)
RESPONSES = Surface(
    name="responses",
    path="/v1/responses",
    family="openai",
    own="openai_responses",
    other="anthropic_messages",
    reader=reception.RESPONSES,
    fields={"tools": [{"type": "function", **_FUNCTION}], "store": False},
)
STORED = msgspec.structs.replace(
    RESPONSES,
    name="stored",
    stores=True,
    other="openai_chat",
    fields={"tools": [{"type": "function", **_FUNCTION}]},
)
NATIVE = Surface(
    name="native",
    path="/api/chat",
    family="native",
    own="openai_chat",
    other="anthropic_messages",
    reader=reception.NATIVE,
    stores=True,
)
SURFACES = (CHAT, MESSAGES, RESPONSES, STORED, NATIVE)


async def ask(port: int, surface: Surface, body: Mapping[str, Any]) -> Received:
    """Send one request and read its response to the end."""
    try:
        async with asyncio.timeout(WATCHDOG_S):
            return await _ask(port, surface, json.dumps(body).encode())
    except TimeoutError:
        return Received(end="hang", why=f"no end within {WATCHDOG_S:g} s")


async def _ask(port: int, surface: Surface, body: bytes) -> Received:
    received = b""
    try:
        sending = raw_http.request(port, "POST", surface.path, _HEADERS, body)
        async with await sending as answer:
            try:
                async for piece in answer.chunks():
                    received += piece
            except raw_http.Cut:
                return reception.read(
                    surface.reader, answer.status, answer.headers, received, cut=True
                )
            return reception.read(surface.reader, answer.status, answer.headers, received)
    except ConnectionError as problem:
        return Received(end="cut", why=f"no response: {problem}")
