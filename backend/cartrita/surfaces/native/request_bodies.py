"""Request bodies of the native API, validated after authentication.

FastAPI itself would read the body before authentication, accept duplicate keys, and keep the bytes
in memory until the response has ended, which for a stream is long.
"""

from typing import Generic, TypeVar, cast

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

from cartrita.surfaces.authentication import AuthenticationMethod
from cartrita.surfaces.dependencies import CurrentCaller
from cartrita.surfaces.framework_errors import body_to_invalid_input
from cartrita.surfaces.json_bodies import parse_object, require_json_type

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


class ExactModel(RequestModel):
    """Base class of bodies that say who may do what, which have no fields but their own.

    A limit whose name is misspelt would limit nothing, and a misspelt `disabled` end nothing.
    """

    model_config = ConfigDict(extra="forbid")


class JsonBody(Generic[M]):
    """A dependency that reads the body into `model`. With `optional` an empty body means `{}`."""

    def __init__(self, model: type[M], *, optional: bool = False) -> None:
        self.model = model
        self.optional = optional

    async def __call__(self, request: Request, caller: CurrentCaller) -> M:
        """The body of an authenticated request."""
        return await self._read(
            request, allow_form_type=caller.authenticated_by is not AuthenticationMethod.COOKIE
        )

    async def _read(self, request: Request, *, allow_form_type: bool) -> M:
        body = b"".join([piece async for piece in request.stream()])
        if not body and self.optional:
            return validated(self.model, {})
        require_json_type(request, allow_form_type=allow_form_type)
        return validated(self.model, parse_object(body))


class PublicJsonBody(JsonBody[M]):
    """A body that is read without authentication, for signing in."""

    # FastAPI reads the parameters of each dependency; this one has no caller yet.
    async def __call__(self, request: Request) -> M:  # pyright: ignore[reportIncompatibleMethodOverride]
        return await self._read(request, allow_form_type=False)


def validated(model: type[M], value: object) -> M:
    """Validate a value against a model. Raises InvalidInput."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise body_to_invalid_input(error) from None
