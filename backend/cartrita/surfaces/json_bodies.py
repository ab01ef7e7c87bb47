"""Request bodies in JSON, parsed strictly: what cannot be stored or is ambiguous is refused."""

import json
from collections.abc import Callable, Iterator
from email.message import Message
from itertools import islice
from math import isinf
from typing import Any, TypeAlias, cast

from starlette.requests import HTTPConnection

from cartrita.domain.errors import InvalidInput, Malformed, UnsupportedMedia
from cartrita.kit.json_depth import MAX_DEPTH
from cartrita.kit.text import storable_text

MAX_VALUES = 50_000
"""Per field: validating half a million values would block the event loop for a second."""

ObjectHook: TypeAlias = Callable[[list[tuple[str, Any]]], dict[str, Any]]
_FORM = "application/x-www-form-urlencoded"


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object whose values can all be stored.

    Raises Malformed for anything but a JSON object in UTF-8, for duplicate keys at its top level
    and for more than 64 levels or 50,000 values; InvalidInput, naming the field, for NUL and lone
    surrogates.
    """
    object_hook = _DuplicateKeys()
    try:
        value = load_strictly(body.decode(), object_hook)
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8: encode it as UTF-8.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {_describe(error)}.") from None
    if not isinstance(value, dict):
        raise Malformed("The body must be a JSON object, such as {...}.")
    if object_hook.duplicate is not None:
        raise Malformed(f"The body names {object_hook.duplicate!r} twice: send it once.")
    named = cast("dict[str, Any]", value)
    if len(named) > MAX_VALUES:
        raise _too_many()
    for name, part in named.items():
        validate_storable(name, part)
    return named


def load_strictly(text: str, object_hook: ObjectHook = dict) -> Any:  # noqa: ANN401 - any JSON
    """Parse JSON without NaN and without numbers that cannot be stored.

    Raises ValueError and RecursionError.
    """
    return json.loads(
        text,
        object_pairs_hook=object_hook,
        parse_constant=_reject_constant,
        parse_float=_finite_float,
    )


def validate_storable(field: str, value: object) -> None:
    """Raise InvalidInput for text that cannot be stored, Malformed for JSON beyond the limits."""
    level: list[object] = [field, value]
    for _ in range(MAX_DEPTH - 1):  # the body itself is the first level
        if any(isinstance(item, str) and storable_text(item) != item for item in level):
            name = storable_text(field.replace("\0", "\ufffd")) or "body"
            raise InvalidInput.of(name, "it holds a NUL or half a surrogate pair; leave it out")
        level = list(islice(_children(level), MAX_VALUES + 1))
        if not level:
            return
        if len(level) > MAX_VALUES:
            raise _too_many()
    raise _too_deep()


def _children(level: list[object]) -> Iterator[object]:
    for item in level:
        if isinstance(item, dict):
            pairs = cast("dict[object, object]", item)
            yield from pairs.keys()
            yield from pairs.values()
        elif isinstance(item, list):
            yield from cast("list[object]", item)


class _DuplicateKeys:
    """An object hook that records a duplicate key of the last object, which is the outermost."""

    duplicate: str | None = None

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        self.duplicate = _first_duplicate(pairs) if len(made) < len(pairs) else None
        return made


def _first_duplicate(pairs: list[tuple[str, Any]]) -> str | None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    return None


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError(f"{digits[:40]} is larger than any number that can be stored")
    return number


def _describe(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]} at character {error.pos}"
    return "a number in it is too long" if "digits" in str(error) else str(error)


def _too_many() -> Malformed:
    return Malformed(f"The body holds more than {MAX_VALUES:,} values in one place: send fewer.")


def _too_deep() -> Malformed:
    return Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.")


def require_json_type(request: HTTPConnection, *, allow_form_type: bool) -> None:
    """Require a JSON media type. Raises UnsupportedMedia.

    With `allow_form_type` that of a form is accepted: it is what curl sends by default, and what a
    missing header means. Any page can send a form, so it must not be accepted with a cookie.
    """
    given = request.headers.get("content-type", _FORM)
    if given == "application/json":
        return
    header = Message()
    header["content-type"] = given
    media_type = header.get_content_type()
    if media_type == "application/json" or media_type.endswith("+json"):
        return
    if media_type == _FORM and allow_form_type:
        return
    raise UnsupportedMedia(f"Send Content-Type: application/json instead of {media_type}.")
