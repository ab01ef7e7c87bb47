"""The calculator is exact, bounded, and evaluates nothing but arithmetic."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples
from tests.backend.tools.contexts import context

from cartrita.domain.errors import InvalidInput
from cartrita.tools.calculator import CALCULATOR, calculate, written


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("1/3", "1/3, about 0.33333333333333333333"),
        ("2^10", "1024"),
        ("2 ** -2", "0.25"),
        ("7 // 2 - -7 % 3", "1"),
        ("(1 + 2) × 3 ÷ 4 − 1", "1.25"),
        ("1e3 + 1_000", "2000"),
        ("-(+5)", "-5"),
        ("1e400 / 1e399", "10"),
        ("1e-4000 * 1e4000", "1"),
        (f"1/{2**100}", f"1/{2**100}, about 7.8886090522101180541E-31"),
    ],
)
def test_arithmetic(expression: str, value: str) -> None:
    assert written(calculate(expression)) == value


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("1/0", "divides by zero"),
        ("2^0.5", "whole number"),
        ("9^9^9^9", "too large"),
        ("2^10000 * 2^10000 * 2^10000", "too large"),
        ("1e99999999", "too large"),
        ("1E+9999_9999", "too large"),
        ("1e-99999999", "too large"),
        ("2 * 1e4001", "too large"),
        ("3^9999", "too large"),
        ("__import__('os')", "numbers"),
        ("True + 1", "numbers"),
        ("1 if 2 else 3", "numbers"),
        ("1 +", "no arithmetic"),
        ("0x1F", "no arithmetic"),
        ("π", "signs"),
        ("-" * 499 + "1", None),
        ("(" * 250 + "1" + ")" * 249, None),
    ],
)
def test_what_is_no_arithmetic(expression: str, problem: str | None) -> None:
    if problem is None:
        try:
            calculate(expression)
        except InvalidInput:
            return
        return
    with pytest.raises(InvalidInput, match=problem):
        calculate(expression)


async def test_the_largest_results_are_written() -> None:
    for expression in ("2^7000 * 2^6999", "1e4000", "1e-4000", "(3^4400)/(2^7000)"):
        result = await CALCULATOR.run(context(), {"expression": expression})
        assert result.success, expression
        assert result.text.startswith(f"{expression} = ")


@examples
@given(st.fractions(max_denominator=1000), st.fractions(max_denominator=1000))
def test_sums_are_exact(one: Fraction, other: Fraction) -> None:
    assert calculate(f"({one}) + ({other})") == one + other
