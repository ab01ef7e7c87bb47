"""Fake providers, monitors and a ledger, and what tests of model calls send and get."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from msgspec.structs import replace
from tests.backend.scripted_provider import Script, ScriptedProvider

from cartrita.domain.budgets import Settlement
from cartrita.domain.deltas import Delta, Finished, FinishReason, TextDelta
from cartrita.domain.errors import (
    UpstreamCut,
    UpstreamError,
    UpstreamMalformed,
    UpstreamOverloaded,
)
from cartrita.domain.ledger import LedgerEntry
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.relays import Endpoint, Estimate, ModelNames, RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.domain.usage import Usage
from cartrita.gateway.answers import Answer
from cartrita.gateway.calls import Call, Relayable
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.metering import Meter
from cartrita.gateway.retry import RetryPolicy
from cartrita.kit.secret import Secret

DONE = Finished(FinishReason.STOP, Usage(1, 1), "m")
REQUEST = ModelRequest(owner_id="o", model="m", messages=(Message(Role.USER, (Text("Hi"),)),))


def overloaded(retry_after: float | None = None, status: int | None = None) -> UpstreamOverloaded:
    return UpstreamOverloaded("p failed.", provider="p", retry_after=retry_after, status=status)


def cut() -> UpstreamCut:
    return UpstreamCut("p ended its answer in the middle.", provider="p")


class Time:
    """A clock that goes on while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class ListingProvider:
    """A provider that only lists models, or fails to; counts how often it was asked."""

    def __init__(self, name: str, *models: str, error: UpstreamError | None = None) -> None:
        self.name = name
        self.listed = [ModelInfo(name, model) for model in models]
        self.error = error
        self.asked = 0

    async def models(self) -> list[ModelInfo]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.listed

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        async with aclosing(self._echo(request)) as deltas:
            yield deltas

    async def _echo(self, request: ModelRequest) -> AsyncGenerator[Delta]:
        yield TextDelta(f"{self.name} {request.model}")
        yield DONE


class HangingProvider(ListingProvider):
    """Lists its models once it may."""

    def __init__(self, name: str, *models: str) -> None:
        super().__init__(name, *models)
        self.may = asyncio.Event()
        self.may.set()

    async def models(self) -> list[ModelInfo]:
        self.asked += 1
        await self.may.wait()
        if self.error is not None:
            raise self.error
        return self.listed


class NamedProvider(ScriptedProvider):
    """A scripted provider of a name, which lists models."""

    def __init__(self, name: str, *scripts: Script, models: Sequence[str] = ("m",)) -> None:
        super().__init__(*(scripts or ([TextDelta(name), DONE],)))
        self.name = name
        self._models = [ModelInfo(name, model) for model in models]

    async def models(self) -> list[ModelInfo]:
        return self._models


class FakeResponse:
    """The body of a relay: bytes are read, errors raised."""

    status = 200
    secrets = (Secret("key-of-the-provider"),)
    line_limit = 1 << 20

    def __init__(self, script: Sequence[bytes | UpstreamError], content: str | None = None) -> None:
        typed = {"content-type": content} if content else {}
        self.headers: Mapping[str, str] = {"x-request-id": "up-1", **typed}
        self._script = iter(script)

    async def read(self) -> bytes:
        piece = next(self._script, b"")
        if isinstance(piece, UpstreamError):
            raise piece
        return piece


class RelayingProvider(NamedProvider):
    """Answers relays by `relays`, one script a call, and requests by the other scripts."""

    dialects = frozenset({"openai_chat"})
    content: str | None = None
    """The type of the content of its relayed answers, if they tell one."""

    def __init__(
        self, name: str, *relays: Sequence[bytes | UpstreamError], scripts: Sequence[Script] = ()
    ) -> None:
        super().__init__(name, *scripts)
        self._relays = relays
        self.relayed: list[RelayRequest] = []

    @asynccontextmanager
    async def relay(self, request: RelayRequest) -> AsyncGenerator[FakeResponse]:
        call = len(self.relayed)
        self.relayed.append(request)
        script = self._relays[min(call, len(self._relays) - 1)]
        if isinstance(script[0], UpstreamError):
            raise script[0]
        self.open += 1
        try:
            yield FakeResponse(script, self.content)
        finally:
            self.open -= 1


class LineMonitor:
    """Monitors a dialect of lines: `.` the end, `!` an error, `#` a comment, others are text."""

    ignored = 0
    misplaced = 0
    message_id = "line_1"

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        names: ModelNames | None = None,
        *,
        kept: int = 1000,
    ) -> None:
        self.provider = provider
        self.secrets = secrets
        self.names = names
        self.visible = False
        self.complete = False
        self.usage: Usage | None = None
        self.finish_reason: FinishReason | None = None
        self.parts: dict[str, int] = {}
        self._kept = kept
        self._passed = b""
        self._half = b""

    @property
    def overlong(self) -> bool:
        return len(self._passed) > self._kept

    def prepare(self, line_limit: int, estimate: Estimate) -> None:
        self.line_limit = line_limit

    def feed(self, piece: bytes) -> bytes:
        whole, newline, self._half = (self._half + piece).rpartition(b"\n")
        frames = whole + newline
        for line in frames.splitlines():
            if line == b"!":
                raise overloaded()
            self.complete = self.complete or line.startswith(b".")
            self.visible = self.visible or not line.startswith((b"#", b"."))
            if line.startswith(b".usage"):
                self.usage = Usage(7, 8)
        self._passed += frames
        return frames

    def deltas(self) -> list[Delta]:
        if self.overlong:
            raise UpstreamMalformed("Too long.", provider=self.provider)
        return self.written()

    def written(self) -> list[Delta]:
        lines = self._passed.decode().splitlines()
        return [TextDelta(line) for line in lines if not line.startswith((".", "#"))]

    def end(self) -> bytes:
        if not self.complete:
            raise cut()
        return b""


class Ledger:
    """Keeps entries in memory."""

    def __init__(self) -> None:
        self.entries: list[LedgerEntry] = []
        self.settlements: list[Settlement] = []

    def record(self, entry: LedgerEntry, settlements: Sequence[Settlement] = ()) -> None:
        self.entries.append(entry)
        self.settlements += settlements

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(entry.provider, str(entry.outcome)) for entry in self.entries]


def create_gateway(*providers: ModelProvider, time: Time | None = None, **values: Any) -> Gateway:
    """A gateway over these providers, which sleeps by the fake clock."""
    time = time or Time()
    entries = [ProviderEntry(provider=one, origin=ProviderOrigin.API_KEY) for one in providers]
    given: dict[str, Any] = {"sleep": time.sleep, "clock": time.clock, **values}
    catalog = Catalog(entries, default_model=given.pop("default_model", None))
    if ledger := given.pop("ledger", None):
        given["meter"] = Meter(ledger, clock=time.clock)
    return Gateway(catalog, given.pop("retry", RetryPolicy()), **given)


def call(name: str, request: ModelRequest = REQUEST, **values: Any) -> Call:
    given: dict[str, Any] = {"owner_id": "o", "surface": "openai", "parse": lambda: request}
    return Call(name=name, **{**given, **values})


def relayed_call(
    name: str, request: ModelRequest = REQUEST, *, body: bytes = b"", **values: Any
) -> Call:
    relay = Relayable(
        endpoint=Endpoint.CHAT_COMPLETIONS,
        rewrite=lambda model: body or f'{{"model":"{model}"}}'.encode(),
        monitor=LineMonitor,
    )
    return call(name, request, relay=relay, **values)


async def items_of(answer: Answer) -> list[bytes | Delta]:
    return [item async for item in answer.items]


async def answer_to(gateway: Gateway, asked: Call) -> tuple[Answer, list[bytes | Delta]]:
    """The answer with its items; it is closed."""
    async with gateway.open(asked) as answer:
        return answer, await items_of(answer)


def text_of(items: Sequence[bytes | Delta]) -> str:
    """The text of an answer, of its relayed lines and its deltas."""
    text = ""
    for item in items:
        if isinstance(item, bytes):
            lines = item.decode().splitlines()
            text += "".join(line for line in lines if not line.startswith((".", "#")))
        elif isinstance(item, TextDelta):
            text += item.text
    return text


def asking(text: str, **values: Any) -> ModelRequest:
    return replace(REQUEST, messages=(Message(Role.USER, (Text(text),)),), **values)
