"""Answers as vendors publish them cost what was reckoned by hand, streamed or not, relayed or not.

Each file in `recorded_usages` has one answer, whole and as a stream, its prices, and the reckoning.
"""

import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from tests.backend.gateway.fakes import Ledger, RelayingProvider, call, create_gateway, items_of

from cartrita.dialects import (
    anthropic_messages,
    openai_chat,
    openai_responses,
    relayed_frames,
)
from cartrita.dialects.anthropic_messages import relay as messages_relay
from cartrita.dialects.anthropic_messages import stream_parsing as messages_parsing
from cartrita.dialects.openai_chat import relay as chat_relay
from cartrita.dialects.openai_chat import stream_parsing as chat_parsing
from cartrita.dialects.openai_responses import relay as responses_relay
from cartrita.dialects.openai_responses import stream_parsing as responses_parsing
from cartrita.domain.deltas import Finished
from cartrita.domain.ledger import LedgerEntry
from cartrita.domain.relays import Endpoint
from cartrita.domain.usage import Usage
from cartrita.gateway.calls import Call, Relayable
from cartrita.gateway.metering import Meter
from cartrita.gateway.pricing import Pricing, RequestPricing, read_prices

FILES = sorted(Path(__file__).with_name("recorded_usages").glob("*.toml"))
_MODULES: dict[str, tuple[str, ModuleType, ModuleType]] = {
    "chat_completions": (openai_chat.DIALECT, chat_parsing, chat_relay),
    "responses": (openai_responses.DIALECT, responses_parsing, responses_relay),
    "messages": (anthropic_messages.DIALECT, messages_parsing, messages_relay),
}


class Recorded:
    """One file: an answer, what reads it, and its prices."""

    def __init__(self, path: Path) -> None:
        table = tomllib.loads(path.read_text("utf-8"))
        self.endpoint: str = table.pop("endpoint")
        self.body = cast("str", table.pop("body")).encode()
        self.stream = cast("str", table.pop("stream")).lstrip().encode()
        cost: str | None = table.pop("cost", None)
        self.cost = None if cost is None else Decimal(cost)
        assert table.pop("source")
        prices = read_prices(table)
        [price] = prices.prices
        self.provider, self.model = price.provider, price.model
        requests = RequestPricing(prices.requests)
        self.pricing = Pricing(prices.prices, requests=requests)
        self.dialect, self.parsing, self.relay = _MODULES[self.endpoint]

    def call(self, *, streamed: bool) -> Call:
        """The call of a surface that passes it on."""
        relay = Relayable(
            endpoint=Endpoint(self.endpoint),
            rewrite=lambda model: b"{}",
            monitor=self.relay.Monitor if streamed else self.relay.BodyMonitor,
        )
        return call(f"{self.provider}/{self.model}", streamed=streamed, relay=relay)


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest) -> Recorded:
    return Recorded(request.param)


def whole(recorded: Recorded) -> Usage:
    return _finished(recorded.parsing.parse_completion(recorded.provider, recorded.body))


def streamed(recorded: Recorded) -> Usage:
    parser = recorded.parsing.StreamParser(recorded.provider)
    deltas: list[Any] = []
    for frame in relayed_frames.parse(recorded.stream):
        deltas += parser.feed(frame.data, frame.event)
    return _finished(deltas + parser.end())


def relayed_whole(recorded: Recorded) -> Usage:
    monitor = recorded.relay.BodyMonitor(recorded.provider)
    assert monitor.feed(recorded.body) == recorded.body
    return monitor.usage


def relayed_stream(recorded: Recorded) -> Usage:
    monitor = recorded.relay.Monitor(recorded.provider)
    told = b"".join(
        monitor.feed(recorded.stream[at : at + 1]) for at in range(len(recorded.stream))
    )
    assert told + monitor.end() == recorded.stream
    return monitor.usage


def _finished(deltas: list[Any]) -> Usage:
    assert isinstance(deltas[-1], Finished)
    return deltas[-1].usage


def test_there_are_both_vendors_and_all_three_endpoints() -> None:
    assert len(FILES) > 10
    assert {Recorded(path).endpoint for path in FILES} == set(_MODULES)


@pytest.mark.parametrize("read", [whole, streamed, relayed_whole, relayed_stream])
def test_it_costs_what_was_reckoned(recorded: Recorded, read: Callable[[Recorded], Usage]) -> None:
    usage = read(recorded)
    assert not usage.estimated
    assert recorded.pricing.cost(recorded.provider, recorded.model, usage) == recorded.cost


def test_all_ways_to_read_it_find_the_same(recorded: Recorded) -> None:
    usages = {read(recorded) for read in (whole, streamed, relayed_whole, relayed_stream)}
    assert len(usages) == 1


@pytest.mark.parametrize("by", ["stream", "body"])
async def test_the_ledger_has_it_so(recorded: Recorded, by: str) -> None:
    entry = await _entry(recorded, recorded.call(streamed=by == "stream"), getattr(recorded, by))
    assert entry.cost == recorded.cost
    assert entry.usage == whole(recorded)


async def test_one_that_nobody_read_to_its_end_costs_what_had_come(recorded: Recorded) -> None:
    """Vendors that count at the beginning count a token or so of the output there."""
    ledger = Ledger()
    frames = recorded.stream.split(b"\n\n")
    parts = [frame + b"\n\n" for frame in frames if frame.strip()]
    provider = RelayingProvider(recorded.provider, parts)
    provider.dialects = frozenset({recorded.dialect})
    gateway = create_gateway(provider, meter=Meter(ledger, recorded.pricing.costs))
    async with gateway.open(recorded.call(streamed=True)) as answer:
        told = b""
        async for item in answer.items:
            assert isinstance(item, bytes)
            told += item
            if b"Hello there." in told or b"was born" in told or b"42." in told:
                break
    [entry] = ledger.entries
    assert entry.outcome == "cancelled"
    assert entry.usage.estimated
    assert entry.usage.output_tokens > 1
    assert entry.cost is not None
    assert entry.cost > 0


async def _entry(recorded: Recorded, asked: Call, answer: bytes) -> LedgerEntry:
    ledger = Ledger()
    provider = RelayingProvider(recorded.provider, [answer])
    provider.dialects = frozenset({recorded.dialect})
    meter = Meter(ledger, recorded.pricing.costs)
    async with create_gateway(provider, meter=meter).open(asked) as opened:
        await items_of(opened)
    [entry] = ledger.entries
    return entry
