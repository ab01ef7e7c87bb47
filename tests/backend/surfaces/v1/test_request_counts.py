"""What the log tells of a request that is not parsed."""

import json
from typing import Any

import pytest

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.surfaces.v1.request_counts import counts_of

TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "]"}]


def counted(body: dict[str, Any]) -> tuple[object, object, object]:
    counts = counts_of(RelayedBody.of(json.dumps(body).encode()))
    return counts["max_tokens"], counts["messages"], counts["tools"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"messages": TURNS, "max_tokens": 100, "tools": [{}, {}]}, (100, 2, 2)),
        ({"messages": TURNS, "max_completion_tokens": 7, "functions": [{}]}, (7, 2, 1)),
        ({"input": "Hi", "max_output_tokens": 9}, (9, 1, 0)),
        ({"input": TURNS}, (None, 2, 0)),
        ({"messages": {"x": 1}, "max_tokens": "many", "tools": 3}, (None, None, 0)),
        ({}, (None, None, 0)),
    ],
)
def test_messages_tools_and_tokens_are_counted(body: dict[str, Any], told: object) -> None:
    assert counted(body) == told


def test_a_large_one_is_not_read_for_the_log() -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "x" * 200_000}]})
    assert counts_of(RelayedBody.of(body.encode())) == {}
