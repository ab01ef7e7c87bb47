"""Checks the JSON of callers against types, and names what is wrong as Anthropic does.

A field is named by its path with dots: `messages.0.content.1.text: Field required`.
"""

import re
from typing import TypeVar, cast

import msgspec

from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject

_Value = TypeVar("_Value")

_PLACE = re.compile(r"(?P<problem>.*?)(?: - at `\$(?P<path>.*)`)?", re.S)
_MISSING = re.compile(r"Object missing required field `(.+)`")
_EXPECTED = re.compile(r"Expected `([^`]*)`")
_BOUND = re.compile(r"Expected `[^`]*` (>=|<=) (.+)")
_LENGTH = re.compile(r"Expected `[^`]*` of length (>=|<=) (.+)")
_STEP = re.compile(r"[^.\[\]]+")
_NAMES = {
    "str": "a valid string",
    "int": "a valid integer",
    "float": "a valid number",
    "bool": "a valid boolean",
    "array": "a valid list",
    "object": "a valid dictionary",
}
_LENGTHS = {">=": "at least", "<=": "at most"}
_BOUNDS = {">=": "greater than or equal to", "<=": "less than or equal to"}


def convert(value: object, kind: type[_Value], path: str = "") -> _Value:
    """The value as its type; `path` is where it is. Raises InvalidInput."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), path) from None


def an_object(value: object, path: str) -> JsonObject:
    """The value as an object. Raises InvalidInput."""
    if not isinstance(value, dict):
        raise InvalidInput.of(path, "Input should be a valid dictionary")
    return cast("JsonObject", value)


def _invalid(message: str, path: str) -> InvalidInput:
    match = _PLACE.fullmatch(message)
    problem, inner = (match["problem"], match["path"] or "") if match else (message, "")
    steps = [path] if path else []
    steps += _STEP.findall(inner)
    if missing := _MISSING.fullmatch(problem):
        return InvalidInput.of(".".join((*steps, missing[1])), "Field required")
    return InvalidInput.of(".".join(steps) or "body", _words(problem))


def _words(problem: str) -> str:
    if bound := _BOUND.fullmatch(problem):
        return f"Input should be {_BOUNDS[bound[1]]} {bound[2]}"
    if length := _LENGTH.fullmatch(problem):
        return f"String should have {_LENGTHS[length[1]]} {length[2]} characters"
    match = _EXPECTED.match(problem)
    if match is None:
        return problem
    kinds = [kind for kind in match[1].split(" | ") if kind != "null"]
    return f"Input should be {' or '.join(_NAMES.get(kind, kind) for kind in kinds)}"
