"""Whether the server lives, and whether it can serve."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from cartrita.domain.errors import CartritaError
from cartrita.kit.clock import now
from cartrita.surfaces.authentication import authenticate
from cartrita.surfaces.native.dependencies import TheRules, UseCases

router = APIRouter(tags=["ops"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]
    timestamp: datetime
    version: str


class Readiness(BaseModel):
    """Whether the server can serve; `services` is for callers with a key."""

    ready: bool
    services: dict[str, bool] | None = Field(default=None, description="Which part works.")


@router.get("/health")
async def get_health(rules: TheRules) -> Health:
    """Alive. Touches no other part, so that an outage elsewhere restarts nothing here."""
    return Health(status="ok", timestamp=now(), version=rules.version)


@router.get("/ready", response_model_exclude_none=True)
async def get_ready(request: Request, response: Response, services: UseCases) -> Readiness:
    """Ready to serve: 200, else 503. With a key it says which part is away."""
    parts = await services.ready()
    ready = all(parts.values())
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, services=dict(parts) if await _known(request) else None)


async def _known(request: Request) -> bool:
    try:
        await authenticate(request)
    except CartritaError:
        return False
    return True
