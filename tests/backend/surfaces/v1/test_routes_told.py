"""The headers that tell of the way to an answer are few, in ASCII, and say what they leave out."""

import json

from cartrita.domain.deltas import Accepted, TextDelta
from cartrita.domain.failovers import Failover
from cartrita.domain.receipts import Receipt
from cartrita.surfaces.v1.routes_told import headers_of, route_headers

LOST = Receipt("seed", "a", "b", "dropped", "It has none.")
FAILED = Failover("q", "m", "upstream_overloaded")


def test_nothing_is_told_of_what_did_not_happen() -> None:
    assert route_headers("p", (), ()) == [("X-Cartrita-Provider", "p")]
    assert headers_of([TextDelta("x")]) == []


def test_the_last_deployment_is_told() -> None:
    told = dict(headers_of([Accepted("q", "m"), Accepted("p", "m", (LOST,), (FAILED,))]))
    assert told["X-Cartrita-Provider"] == "p"
    assert [each["field"] for each in json.loads(told["X-Cartrita-Receipts"])] == ["seed"]
    assert json.loads(told["X-Cartrita-Failovers"]) == [
        {"provider": "q", "model": "m", "code": "upstream_overloaded"}
    ]


def test_what_does_not_fit_is_counted() -> None:
    odd = Receipt("wörter", "a", "b", "dropped", "x" * 3000)
    told = dict(route_headers("p", [odd] * 3, ()))
    assert told["X-Cartrita-Receipts"].isascii()
    assert len(json.loads(told["X-Cartrita-Receipts"])) == 1
    assert told["X-Cartrita-Receipts-Left-Out"] == "2"
