"""What OpenAI's types do not say of a value: its bounds, which its reference describes.

The type of a value has been checked before; null has no bounds.
"""

import re
from typing import Any

from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.shape_checks import Rule

NAME = "[a-zA-Z0-9_-]+"


def decimal(low: int, high: int) -> Rule:
    return _bounds("decimal", low, high)


def integer(low: int, high: int | None = None) -> Rule:
    return _bounds("integer", low, high)


def text(longest: int, pattern: str | None = None) -> Rule:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            return
        if len(value) > longest:
            raise errors.out_of_bounds(
                path,
                f"string too long. Expected a string with maximum length {longest}, but got a "
                f"string with length {len(value)} instead.",
                "string_above_max_length",
            )
        if pattern is not None and not re.fullmatch(pattern, value):
            raise errors.out_of_bounds(
                path,
                "string does not match pattern. Expected a string that matches the pattern "
                f"'^{pattern}$'.",
                "invalid_value",
            )

    return check


def count(low: int, high: int | None = None) -> Rule:
    """The number of elements of an array; what is no array is not counted."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            return
        found = len(value)  # type: ignore[arg-type]
        if found < low:
            raise errors.out_of_bounds(
                path,
                f"empty array. Expected an array with minimum length {low}, but got an empty "
                "array instead.",
                "empty_array",
            )
        if high is not None and found > high:
            raise errors.out_of_bounds(
                path,
                f"array too long. Expected an array with maximum length {high}, but got an "
                f"array with length {found} instead.",
                "array_above_max_length",
            )

    return check


def pairs(most: int, longest_name: int) -> Rule:
    """The number of fields of an object, and the length of their names."""

    def check(value: Any, path: str) -> None:
        fields: dict[str, object] = value or {}
        if len(fields) > most:
            raise errors.out_of_bounds(
                path,
                f"too many properties. Expected an object with at most {most} properties, but "
                f"got an object with {len(fields)} properties instead.",
                "object_above_max_properties",
            )
        for name in fields:
            text(longest_name)(name, path)

    return check


def _bounds(kind: str, low: int, high: int | None) -> Rule:
    def check(value: Any, path: str) -> None:
        if value is not None and value < low:
            raise errors.out_of_bounds(
                path,
                f"{kind} below minimum value. Expected a value >= {low}, but got {value} instead.",
                f"{kind}_below_min_value",
            )
        if value is not None and high is not None and value > high:
            raise errors.out_of_bounds(
                path,
                f"{kind} above maximum value. Expected a value <= {high}, but got {value} instead.",
                f"{kind}_above_max_value",
            )

    return check
