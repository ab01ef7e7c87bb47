"""Health and readiness endpoints."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from cartrita.application.desktop.services import DesktopServices
from cartrita.domain.errors import CartritaError
from cartrita.kit.clock import now
from cartrita.surfaces.authentication import authenticate
from cartrita.surfaces.dependencies import AppConfig, AppServices

router = APIRouter(tags=["ops"])


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"]
    timestamp: datetime
    version: str


class DesktopReadiness(BaseModel):
    """How desktops are shut in, what has to be installed first, and what is weaker here."""

    isolation: str = Field(description="`bubblewrap`, `container`, `plain` or `none`.")
    missing: list[str] = Field(description="Lines that install what is missing.")
    without: list[str] = Field(
        description="What else shuts them in, and cannot here: they start without it."
    )


class Readiness(BaseModel):
    """Whether the server can serve requests; the rest is for authenticated callers."""

    ready: bool
    services: dict[str, bool] | None = Field(default=None, description="Which part works.")
    sandbox: str | None = Field(
        default=None,
        description="How programs of agents are shut in: `full`, `partial, without ...` or "
        "`none: ...`; absent where `run_code` is off.",
    )
    desktop: DesktopReadiness | None = Field(
        default=None, description="Absent where there are no desktops."
    )
    mcp: dict[str, bool] | None = Field(
        default=None,
        description="Which servers of tools answer; absent where none is configured. One that does "
        "not leaves this server ready.",
    )


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def get_health(config: AppConfig) -> Health:
    """Liveness. Checks no other part, so that an outage elsewhere does not restart the server."""
    return Health(status="ok", timestamp=now(), version=config.version)


@router.head("/ready", include_in_schema=False)
@router.get("/ready", response_model_exclude_none=True)
async def get_ready(request: Request, response: Response, services: AppServices) -> Readiness:
    """Readiness: 200 or 503. With a credential it reports each part."""
    parts = await services.ready()
    ready = all(parts.values())
    response.status_code = 200 if ready else 503
    if not await _is_authenticated(request):
        return Readiness(ready=ready)
    return Readiness(
        ready=ready,
        services=dict(parts),
        sandbox=services.sandbox,
        desktop=_desktop(services.desktops),
        mcp=dict(services.tool_servers()) or None,
    )


def _desktop(desktops: DesktopServices) -> DesktopReadiness | None:
    if desktops.isolation is None:
        return None
    return DesktopReadiness(
        isolation=desktops.isolation,
        missing=list(desktops.missing),
        without=list(desktops.without),
    )


async def _is_authenticated(request: Request) -> bool:
    try:
        await authenticate(request)
    except CartritaError:
        return False
    return True
