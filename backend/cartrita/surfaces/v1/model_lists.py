"""`/v1/models`, in the shape of the vendor whose SDK asks: Anthropic's send `anthropic-version`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from cartrita.domain.principals import Principal
from cartrita.surfaces.anthropic import models as anthropic
from cartrita.surfaces.dependencies import CurrentPrincipal, Storable
from cartrita.surfaces.openai import models as openai
from cartrita.surfaces.services import Services, services_of

router = APIRouter(prefix="/v1/models", tags=["models"])

ANTHROPIC_HEADER = "anthropic-version"


@router.get("", name="list_v1_models", response_model_exclude_unset=False)
async def list_models(
    request: Request,
    principal: CurrentPrincipal,
    limit: Annotated[int, Query(ge=1, le=1000, description="For Anthropic's SDKs.")] = 20,
    after_id: Storable | None = None,
    before_id: Storable | None = None,
) -> openai.ModelList | anthropic.ModelPage:
    """Models of the configured providers, agents and routes.

    With the header `anthropic-version`, in pages of Anthropic's shape.
    """
    completions = services_of(request).completions
    scopes = principal.scopes
    found = await completions.models(scopes)
    names = await completions.names(scopes, principal.payer)
    if ANTHROPIC_HEADER in request.headers:
        ids = [*names, *(model.id for model in found)]
        return anthropic.model_page(ids, limit, after_id, before_id)
    return openai.model_list(found, names)


@router.get("/{model_id:path}", name="get_v1_model")
async def get_model(
    request: Request, principal: CurrentPrincipal, model_id: Storable
) -> openai.Model | anthropic.Model:
    """One model, by any name that answers: `provider/model`, an alias, an agent or a route."""
    owner = await _owner(services_of(request), principal, model_id)
    if ANTHROPIC_HEADER in request.headers:
        return anthropic.model_of(model_id)
    return openai.Model(id=model_id, owned_by=owner)


async def _owner(services: Services, principal: Principal, model_id: str) -> str:
    if services.completions.agent_of(model_id) is not None:
        return openai.OWNER
    found = await services.completions.find(model_id, principal.scopes, principal.payer)
    return found.provider
