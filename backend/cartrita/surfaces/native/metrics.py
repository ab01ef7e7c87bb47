"""Serves the metrics, to those who run the server: they tell of all its tenants."""

from fastapi import APIRouter, Depends, Response

from cartrita.domain.errors import NotFound
from cartrita.surfaces.dependencies import AppServices, operator_only

router = APIRouter(include_in_schema=False)


@router.get("/metrics", name="get_metrics", dependencies=[Depends(operator_only)])
async def get_metrics(services: AppServices) -> Response:
    """What all workers have counted, as Prometheus reads it."""
    if services.metrics is None:
        raise NotFound("This server counts nothing: start it with CARTRITA_METRICS_ENABLED=1.")
    return Response(await services.metrics.render(), media_type=services.metrics.media_type)
