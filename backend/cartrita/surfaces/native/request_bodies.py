"""JSON request bodies, parsed strictly and validated after authentication.

FastAPI itself would read the body before authentication, accept duplicate keys, and keep the bytes
in memory until the response has ended, which for a stream is long.
"""

import json
import re
from collections.abc import Iterator
from email.message import Message
from itertools import islice
from math import isinf
from typing import Any, Generic, TypeVar, cast

from fastapi import Request
from pydantic import (
    AliasChoices,
    AliasGenerator,
    BaseModel,
    ConfigDict,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from cartrita.domain.errors import InvalidInput, Malformed, UnsupportedMedia
from cartrita.surfaces.authentication import CredentialKind
from cartrita.surfaces.native.dependencies import CurrentCaller
from cartrita.surfaces.native.errors import body_to_invalid_input

MAX_DEPTH = 64
MAX_VALUES = 50_000
"""Per field: validating half a million values would block the event loop for a second."""

_FORM = "application/x-www-form-urlencoded"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

M = TypeVar("M", bound="RequestModel")


class RequestModel(BaseModel):
    """Base class of request bodies.

    Unknown fields are ignored, `null` is the same as an absent field, and names may be in
    camelCase or snake_case.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        alias_generator=AliasGenerator(
            validation_alias=lambda name: AliasChoices(name, to_camel(name))
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        pairs = cast("dict[str, object]", value)
        return {name: given for name, given in pairs.items() if given is not None}


class JsonBody(Generic[M]):
    """A dependency that reads the body into `model`. With `optional` an empty body means `{}`."""

    def __init__(self, model: type[M], *, optional: bool = False) -> None:
        self.model = model
        self.optional = optional

    async def __call__(self, request: Request, caller: CurrentCaller) -> M:
        """The body of an authenticated request."""
        return await self._read(
            request, allow_form_type=caller.credential is not CredentialKind.COOKIE
        )

    async def _read(self, request: Request, *, allow_form_type: bool) -> M:
        body = b"".join([piece async for piece in request.stream()])
        if not body and self.optional:
            return validated(self.model, {})
        _require_json(request, allow_form_type=allow_form_type)
        return validated(self.model, parse_object(body))


class PublicJsonBody(JsonBody[M]):
    """A body that is read without authentication, for signing in."""

    async def __call__(self, request: Request) -> M:  # pyright: ignore[reportIncompatibleMethodOverride]
        return await self._read(request, allow_form_type=False)


def validated(model: type[M], value: object) -> M:
    """Validate a value against a model. Raises InvalidInput."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise body_to_invalid_input(error) from None


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object whose values can all be stored.

    Raises Malformed for anything but a JSON object in UTF-8, for duplicate keys at its top level
    and for more than 64 levels or 50,000 values; InvalidInput, naming the field, for NUL and lone
    surrogates.
    """
    object_hook = _DuplicateKeys()
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=object_hook,
            parse_constant=_reject_constant,
            parse_float=_finite_float,
        )
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


def validate_storable(field: str, value: object) -> None:
    """Raise InvalidInput for text that cannot be stored, Malformed for JSON beyond the limits."""
    level: list[object] = [field, value]
    for _ in range(MAX_DEPTH - 1):  # the body itself is the first level
        if any(isinstance(item, str) and _UNSTORABLE.search(item) for item in level):
            name = _UNSTORABLE.sub("\ufffd", field) or "body"
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


def _require_json(request: Request, *, allow_form_type: bool) -> None:
    header = Message()
    header["content-type"] = request.headers.get("content-type", _FORM)
    media_type = header.get_content_type()
    if media_type == "application/json" or media_type.endswith("+json"):
        return
    # The default of curl, and a missing header. Any page can send a form, so not with a cookie.
    if media_type == _FORM and allow_form_type:
        return
    raise UnsupportedMedia(f"Send Content-Type: application/json instead of {media_type}.")
