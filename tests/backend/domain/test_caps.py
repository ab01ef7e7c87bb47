"""Caps are tightened, never loosened, and tell which of them is used up."""

from typing import Any

import pytest

from cartrita.domain.approvals import ApprovalPolicy, hash_arguments
from cartrita.domain.caps import Caps


def test_the_lower_of_two_counts() -> None:
    one, other = Caps(steps=3, tokens=10), Caps(steps=5, tokens=4, cost=1.5)
    assert one.tightened(other) == other.tightened(one) == Caps(steps=3, tokens=4, cost=1.5)
    assert one.tightened(Caps()) == one


@pytest.mark.parametrize(
    ("used", "cap"),
    [
        ({}, None),
        ({"steps": 3}, "steps"),
        ({"tokens": 11}, "tokens"),
        ({"cost": 2.0}, "cost"),
        ({"seconds": 9.0}, None),
    ],
)
def test_the_cap_that_is_used_up(used: Any, cap: str | None) -> None:
    caps = Caps(steps=3, tokens=10, cost=2.0)
    unused: Any = {"steps": 0, "tokens": 0, "cost": 0.0, "seconds": 0.0}
    assert caps.reached(**(unused | used)) == cap


def test_approval_is_only_tightened() -> None:
    never, risky, always = ApprovalPolicy
    assert never.tightened(risky) is risky
    assert always.tightened(never) is always
    assert risky.tightened(None) is risky


def test_the_hash_of_a_call_is_of_its_tool_and_arguments() -> None:
    known = hash_arguments("act", {"a": 1, "b": [True, None]})
    assert known == hash_arguments("act", {"b": [True, None], "a": 1})
    assert known != hash_arguments("act", {"a": 1, "b": [False, None]})
    assert known != hash_arguments("other", {"a": 1, "b": [True, None]})
    assert len(known) == 64
