"""Costs are added as what a person would write them as."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cartrita.domain import costs


def test_tenths_of_a_cent_stay_what_they_are() -> None:
    assert costs.add(0.000258, 0.000416) == 0.000674
    assert 0.000258 + 0.000416 != 0.000674


@given(st.lists(st.decimals("0", "1000", places=9), max_size=20))
def test_a_sum_is_that_of_the_decimals(prices: list[Decimal]) -> None:
    """One after the other, as the events of a run come."""
    added = 0.0
    for price in prices:
        added = costs.add(added, float(price))
    assert added == float(sum(prices, Decimal(0)))
