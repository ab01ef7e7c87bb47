"""The analytics endpoint of admins."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cartrita.domain.analytics import AnalyticsStep
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal, Storable, admin_only
from cartrita.surfaces.native.analytics_schemas import AnalyticsReport
from cartrita.surfaces.native.usage import Since, Until

router = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[Depends(admin_only)])


@router.get("/analytics")
async def get_analytics(
    principal: CurrentPrincipal,
    services: AppServices,
    since: Since = None,
    until: Until = None,
    step: AnalyticsStep = AnalyticsStep.DAY,
    tenant_id: Annotated[Storable | None, Query(max_length=255)] = None,
) -> AnalyticsReport:
    """What the users of a tenant did, or all whom you administer: sums, and no word of theirs.

    At most 93 days at once: every call and run of the time is read.
    """
    found = await services.analytics.read(
        principal, since=since, until=until, step=step, tenant_id=tenant_id
    )
    return AnalyticsReport.of(found, step)
