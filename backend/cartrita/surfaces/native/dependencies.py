"""What native endpoints ask for: who calls, the use cases, and the values of paths and headers."""

import hashlib
from typing import Annotated, TypeAlias

import msgspec
from fastapi import Depends, Header, Path, Request
from pydantic import AfterValidator, BaseModel

from cartrita.domain.principals import Principal
from cartrita.domain.runs import Idempotency
from cartrita.kit.text import storable_text
from cartrita.surfaces.authentication import Caller, authenticate
from cartrita.surfaces.services import Rules, Services, rules_of, services_of


async def caller(request: Request) -> Caller:
    """Whoever calls, or an error."""
    return await authenticate(request)


async def me(who: Annotated[Caller, Depends(caller)]) -> Principal:
    """To whom everything in this request belongs."""
    return who.principal


async def use_cases(request: Request) -> Services:
    return services_of(request)


async def rules(request: Request) -> Rules:
    return rules_of(request)


def _storable(text: str) -> str:
    if storable_text(text) != text:
        raise ValueError("it holds a NUL or half a surrogate pair")
    return text


CallerNow: TypeAlias = Annotated[Caller, Depends(caller)]
Me: TypeAlias = Annotated[Principal, Depends(me)]
UseCases: TypeAlias = Annotated[Services, Depends(use_cases)]
TheRules: TypeAlias = Annotated[Rules, Depends(rules)]

PublicId: TypeAlias = Annotated[str, Path(min_length=1, max_length=255), AfterValidator(_storable)]
Storable: TypeAlias = Annotated[str, AfterValidator(_storable)]
"""A text that the database can hold, for query values."""

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[ -~]+$",
        description="Requests with the same key and body are one: the run is made once.",
    ),
]
LastEventId: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that was received, as browsers send it.",
        examples=["run_0193b0c3a5d87c1e9f4d2b6a8e0c4f17.7"],
    ),
]


def idempotency(
    route: str, key: str | None, body: BaseModel | None, *places: str
) -> Idempotency | None:
    """A caller's key, bound to what was asked: the body, and the ids in the path.

    Whether the answer is streamed does not matter to what is asked.
    """
    if key is None:
        return None
    asked = {} if body is None else body.model_dump(mode="json", exclude={"stream"})
    canonical = msgspec.json.encode([*places, asked], order="sorted")
    return Idempotency(route, key, hashlib.sha256(canonical).digest())
