"""Checks of JSON values that compose: each takes a value and its path, and raises a Refusal."""

import re
from collections.abc import Callable, Mapping
from typing import cast

from tests.harness.fake_provider.anthropic_messages import errors

Check = Callable[[object, str], None]
Json = dict[str, object]


def anything(value: object, path: str) -> None:
    """For what the vendor hands on without looking."""


def boolean(value: object, path: str) -> None:
    if not isinstance(value, bool):
        raise errors.wrong_type(path, "a valid boolean")


def string(*, shortest: int = 0, longest: int | None = None, pattern: str | None = None) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise errors.wrong_type(path, "a valid string")
        if len(value) < shortest:
            raise errors.at(path, f"String should have at least {shortest} character")
        if longest is not None and len(value) > longest:
            raise errors.at(path, f"String should have at most {longest} characters")
        if pattern is not None and not re.fullmatch(pattern, value):
            raise errors.at(path, f"String should match pattern '^{pattern}$'")

    return check


def number(low: float | None = None, high: float | None = None, *, whole: bool = False) -> Check:
    kinds = int if whole else int | float

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise errors.wrong_type(path, "a valid integer" if whole else "a valid number")
        if low is not None and value < low:
            raise errors.wrong_type(path, f"greater than or equal to {low}")
        if high is not None and value > high:
            raise errors.wrong_type(path, f"less than or equal to {high}")

    return check


def choice(*supported: str) -> Check:
    *most, last = (f"'{each}'" for each in supported)
    listed = f"{', '.join(most)} or {last}" if most else last

    def check(value: object, path: str) -> None:
        if value not in supported:
            raise errors.wrong_type(path, listed)

    return check


def array(of: Check, *, at_least: int = 0, at_most: int | None = None) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise errors.wrong_type(path, "a valid list")
        elements = cast("list[object]", value)
        if len(elements) < at_least:
            raise errors.at(path, f"List should have at least {at_least} item after validation")
        if at_most is not None and len(elements) > at_most:
            raise errors.at(path, f"List should have at most {at_most} items after validation")
        for index, element in enumerate(elements):
            of(element, f"{path}.{index}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no others."""
    known = {**required, **(optional or {})}

    def check(value: object, path: str) -> None:
        fields = mapping(value, path)
        for name in required:
            if name not in fields:
                raise errors.missing(_below(path, name))
        for name, field in fields.items():
            if name not in known:
                raise errors.extra(_below(path, name))
            known[name](field, _below(path, name))

    return check


def tagged(variants: Mapping[str, Check]) -> Check:
    """An object whose `type` says which of the checks it must pass; the path then names it."""
    listed = ", ".join(f"'{name}'" for name in variants)

    def check(value: object, path: str) -> None:
        fields = mapping(value, path)
        if "type" not in fields:
            raise errors.missing(f"{path}.type")
        tag = fields["type"]
        if not isinstance(tag, str) or tag not in variants:
            raise errors.at(
                path,
                f"Input tag '{tag}' found using 'type' does not match any of the expected tags: "
                f"{listed}",
            )
        variants[tag](value, f"{path}.{tag}")

    return check


def nullable(of: Check) -> Check:
    def check(value: object, path: str) -> None:
        if value is not None:
            of(value, path)

    return check


def text_or(of: Check) -> Check:
    """A string, or else what `of` accepts."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            of(value, path)

    return check


def table(value: object, path: str) -> None:
    """An object with any content."""
    mapping(value, path)


def mapping(value: object, path: str) -> Json:
    if not isinstance(value, dict):
        raise errors.wrong_type(path, "an object")
    return cast("Json", value)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
