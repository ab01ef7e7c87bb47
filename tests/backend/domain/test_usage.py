"""Counts that providers report are believed within what the ledger can hold."""

import pytest

from cartrita.domain.usage import MOST_TOKENS, reported_tokens


@pytest.mark.parametrize("count", [0, 1, MOST_TOKENS])
def test_a_count_is_taken(count: int) -> None:
    assert reported_tokens(count) == count


@pytest.mark.parametrize("count", [None, -1, MOST_TOKENS + 1, 10**25])
def test_a_count_that_cannot_be_true_is_none(count: int | None) -> None:
    assert reported_tokens(count) == 0
