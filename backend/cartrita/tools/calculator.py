"""The tool `calculator`: exact arithmetic with fractions."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import Annotated, Final

from msgspec import Meta

from cartrita.domain.errors import InvalidInput
from cartrita.tools.schema import tool
from cartrita.tools.tool import ToolContext, ToolOutput

_LONGEST: Final = 500
_MOST_BITS: Final = 14_000
"""Of a number; it has fewer digits than Python writes of one (4300)."""

_MOST_ZEROS: Final = 4_000
_EXPONENT: Final = re.compile(r"e[+-]?(\d+)$", re.IGNORECASE)
_DIGITS: Final = 20
_SIGNS: Final = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "^": "\0"})
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda one, other: one / other,
    ast.Mod: operator.mod,
    ast.FloorDiv: lambda one, other: Fraction(one // other),
}


async def calculator(
    _: ToolContext,
    expression: Annotated[
        str,
        Meta(description="Such as `(1/3 + 0.25) * 12 ^ 2`.", min_length=1, max_length=_LONGEST),
    ],
) -> ToolOutput:
    """Calculate exactly with whole numbers, decimals and fractions.

    Knows + - * / // % ^ and parentheses; % is the remainder.
    """
    value = calculate(expression)
    return ToolOutput(f"{expression} = {written(value)}")


CALCULATOR: Final = tool(calculator, timeout_s=5.0)


def calculate(expression: str) -> Fraction:
    """The exact value of an expression. Raises InvalidInput."""
    try:
        text = expression.translate(_SIGNS).replace("\0", "**").strip()
        if not text.isascii():
            raise _wrong("it holds signs that are none of arithmetic")
        return _value(ast.parse(text, mode="eval").body, text)
    except ZeroDivisionError:
        raise _wrong("it divides by zero") from None
    except (SyntaxError, ValueError):
        raise _wrong("it is no arithmetic expression") from None
    except (RecursionError, MemoryError):
        raise _wrong("it nests too deeply") from None


def written(value: Fraction) -> str:
    """A number as people write it: exact where its decimals end, else with 20 digits."""
    if value.denominator == 1:
        return str(value.numerator)
    exact = Context(prec=_MOST_BITS)
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1 and value.denominator.bit_length() < 4 * _DIGITS:
        return f"{exact.divide(Decimal(value.numerator), Decimal(value.denominator)):f}"
    rounded = Context(prec=_DIGITS).divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"{value}, about {rounded}"


def _value(node: ast.expr, text: str) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            # From the text: a float has lost the decimals.
            return _number(text[node.col_offset : node.end_col_offset].replace("_", ""))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            value = _value(operand, text)
            return -value if isinstance(sign, ast.USub) else value
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left, text), _value(right, text))
        case ast.BinOp(left=left, op=how, right=right) if type(how) in _OPERATORS:
            return _bounded(_OPERATORS[type(how)](_value(left, text), _value(right, text)))
        case _:
            raise _wrong("it may hold numbers, + - * / // % ^ and parentheses only")


def _number(literal: str) -> Fraction:
    """The value of a number, whose zeros are counted before they are written."""
    exponent = _EXPONENT.search(literal)
    if exponent is not None and int(exponent[1]) > _MOST_ZEROS:
        raise _wrong("its result is too large")
    return _bounded(Fraction(literal))


def _power(number: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise _wrong("an exponent must be a whole number, or the result is not exact")
    if _bits(number) * abs(exponent.numerator) > _MOST_BITS:
        raise _wrong("its result is too large")
    return number ** int(exponent)


def _bounded(value: Fraction) -> Fraction:
    if _bits(value) > _MOST_BITS:
        raise _wrong("its result is too large")
    return value


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _wrong(problem: str) -> InvalidInput:
    return InvalidInput.of("expression", problem)
