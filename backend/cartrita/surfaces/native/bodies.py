"""JSON bodies: read after the caller is known, strictly, and into a model.

FastAPI would read a body before it asks who calls, take the last of two equal keys, and keep the
bytes as long as the answer lasts, which for a stream is long.
"""

import json
import re
from collections.abc import Iterator
from email.message import Message
from itertools import islice
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
from cartrita.surfaces.authentication import Means
from cartrita.surfaces.native.dependencies import CallerNow
from cartrita.surfaces.native.errors import invalid_body

MAX_DEPTH = 64
MAX_VALUES = 50_000
"""In one field; looking at half a million takes a second in which nobody else is served."""

_FORM = "application/x-www-form-urlencoded"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

M = TypeVar("M", bound="Incoming")


class Incoming(BaseModel):
    """A request body.

    Fields that we do not know are ignored, `null` is the same as leaving a field out, and
    camelCase is understood beside snake_case.
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


class Body(Generic[M]):
    """A dependency that reads this model; `optional` lets an empty body stand for `{}`."""

    def __init__(self, model: type[M], *, optional: bool = False) -> None:
        self.model = model
        self.optional = optional

    async def __call__(self, request: Request, who: CallerNow) -> M:
        """The body of a known caller."""
        return await self._read(request, forms=who.means is not Means.COOKIE)

    async def _read(self, request: Request, *, forms: bool) -> M:
        octets = b"".join([piece async for piece in request.stream()])
        if not octets and self.optional:
            return validated(self.model, {})
        _require_json(request, forms=forms)
        return validated(self.model, parse(octets))


class OpenBody(Body[M]):
    """The same where nobody is known yet: for signing in."""

    async def __call__(self, request: Request) -> M:  # pyright: ignore[reportIncompatibleMethodOverride]
        return await self._read(request, forms=False)


def validated(model: type[M], value: object) -> M:
    """The value as a model. Raises InvalidInput."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid_body(error) from None


def parse(octets: bytes) -> dict[str, Any]:
    """A JSON object, and nothing in it that could not be stored.

    Raises Malformed for what is no JSON object in UTF-8, for equal keys at its top and for more
    than 64 levels or 50,000 values; InvalidInput, naming the field, for NUL and halves of surrogate
    pairs.
    """
    objects = _Objects()
    try:
        value = json.loads(octets.decode(), object_pairs_hook=objects, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8: encode it as UTF-8.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {_where(error)}.") from None
    if not isinstance(value, dict):
        raise Malformed("The body must be a JSON object, such as {...}.")
    if objects.repeated is not None:
        raise Malformed(f"The body names {objects.repeated!r} twice: send it once.")
    named = cast("dict[str, Any]", value)
    if len(named) > MAX_VALUES:
        raise _too_many()
    for name, part in named.items():
        require_storable(name, part)
    return named


def require_storable(field: str, value: object) -> None:
    """Raise InvalidInput for texts that no database holds, Malformed for too deep and too many."""
    level: list[object] = [field, value]
    for _ in range(MAX_DEPTH - 1):  # the body itself is the first level
        if any(isinstance(item, str) and _UNSTORABLE.search(item) for item in level):
            name = _UNSTORABLE.sub("\ufffd", field) or "body"
            raise InvalidInput.of(name, "it holds a NUL or half a surrogate pair; leave it out")
        level = list(islice(_inside(level), MAX_VALUES + 1))
        if not level:
            return
        if len(level) > MAX_VALUES:
            raise _too_many()
    raise _too_deep()


def _inside(level: list[object]) -> Iterator[object]:
    for item in level:
        if isinstance(item, dict):
            pairs = cast("dict[object, object]", item)
            yield from pairs.keys()
            yield from pairs.values()
        elif isinstance(item, list):
            yield from cast("list[object]", item)


class _Objects:
    """Makes objects, and knows which key came twice in the last one: the outermost ends last."""

    repeated: str | None = None

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        self.repeated = _repeated(pairs) if len(made) < len(pairs) else None
        return made


def _repeated(pairs: list[tuple[str, Any]]) -> str | None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    return None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _where(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]} at character {error.pos}"
    return "a number in it is too long" if "digits" in str(error) else str(error)


def _too_many() -> Malformed:
    return Malformed(f"The body holds more than {MAX_VALUES:,} values in one place: send fewer.")


def _too_deep() -> Malformed:
    return Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _require_json(request: Request, *, forms: bool) -> None:
    header = Message()
    header["content-type"] = request.headers.get("content-type", _FORM)
    media_type = header.get_content_type()
    if media_type == "application/json" or media_type.endswith("+json"):
        return
    # curl's default, and no header at all: a form that any page can send, so not with a cookie.
    if media_type == _FORM and forms:
        return
    raise UnsupportedMedia(f"Send Content-Type: application/json instead of {media_type}.")
