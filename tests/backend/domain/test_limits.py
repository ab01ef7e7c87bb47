"""A limit has a pace, and shares of it add up to it."""

import pytest

from cartrita.domain.limits import Limit, LimitKey


def test_an_even_pace() -> None:
    assert Limit(100, 60).interval == 0.6


@pytest.mark.parametrize("sharers", [1, 2, 3, 7, 100, 101, 1000])
def test_shares_have_the_pace_of_the_limit_together(sharers: int) -> None:
    share = Limit(100, 60).share(sharers)
    assert share.interval == pytest.approx(0.6 * sharers)
    assert 1 <= share.requests <= max(1, 100 // sharers)


def test_the_credential_is_the_servers_where_none_is_named() -> None:
    assert LimitKey("openai") == LimitKey("openai", "server")
