"""What callers are told about the way to an answer: who answered, what failed, what was lost."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from cartrita.domain.deltas import Accepted, Delta
from cartrita.domain.events import RunCompleted
from cartrita.domain.failovers import Failover
from cartrita.domain.json import JsonObject
from cartrita.domain.receipts import Receipt
from cartrita.surfaces.upstream_headers import PROVIDER_HEADER

_HEADER_BYTES: Final = 4096


def route_headers(
    provider: str, receipts: Sequence[Receipt], failovers: Sequence[Failover]
) -> list[tuple[str, str]]:
    """The headers that tell the provider, and what was lost and what failed, if anything."""
    return [(PROVIDER_HEADER, provider), *loss_headers(receipts, failovers)]


def loss_headers(
    receipts: Sequence[Receipt], failovers: Sequence[Failover] = ()
) -> list[tuple[str, str]]:
    """The headers that tell as JSON what was lost and what failed; none if nothing did.

    A list has as many values as fit into 4 KiB; another header says how many were left out.
    """
    headers: list[tuple[str, str]] = []
    for name, values in (("Receipts", receipts), ("Failovers", failovers)):
        if not values:
            continue
        text, left_out = _compact(values)
        headers.append((f"X-Cartrita-{name}", text))
        if left_out:
            headers.append((f"X-Cartrita-{name}-Left-Out", str(left_out)))
    return headers


def headers_of(deltas: Iterable[Delta]) -> list[tuple[str, str]]:
    """The headers of an answer whose deltas so far are these."""
    accepted = [delta for delta in deltas if isinstance(delta, Accepted)]
    if not accepted:
        return []
    last = accepted[-1]
    return route_headers(last.provider, last.receipts, last.failovers)


def run_metadata(end: RunCompleted) -> JsonObject:
    """What is told about the run behind an answer; `iterations` are its model calls."""
    return {
        "execution_time_seconds": round(end.seconds, 3),
        "agents_used": [*end.agents_used],
        "iterations": end.calls,
        **route_metadata(end.failovers, end.receipts),
    }


def route_metadata(failovers: Sequence[Failover], receipts: Sequence[Receipt]) -> JsonObject:
    """What failed and what was lost on the way to an answer; empty if nothing was."""
    told: Mapping[str, Sequence[object]] = {"failovers": failovers, "receipts": receipts}
    return {name: msgspec.to_builtins([*values]) for name, values in told.items() if values}


def _compact(values: Sequence[Receipt] | Sequence[Failover]) -> tuple[str, int]:
    """As much of a list as fits, as compact JSON in ASCII, and how many values that leaves out."""
    kept = len(values)
    while len(text := _json(values[:kept])) > _HEADER_BYTES:
        kept -= 1
    return text, len(values) - kept


def _json(values: Sequence[Receipt] | Sequence[Failover]) -> str:
    return json.dumps(msgspec.to_builtins(values), separators=(",", ":"))
