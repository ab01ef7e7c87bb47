"""Model endpoints."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cartrita.domain.models import ModelInfo
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal

router = APIRouter(prefix="/api/models", tags=["models"])


class ModelView(BaseModel):
    """One model at one provider."""

    id: str = Field(examples=["offline/assistant"])
    provider: str
    capabilities: list[str]
    context_length: int | None = Field(description="Tokens; null where it is not known.")

    @classmethod
    def of(cls, model: ModelInfo) -> "ModelView":
        return cls(
            id=model.id,
            provider=model.provider,
            capabilities=list(model.profile.capabilities),
            context_length=model.profile.context_tokens,
        )


class ModelList(BaseModel):
    """All models; `models` holds their ids."""

    models: list[str]
    data: list[ModelView]


@router.get("")
async def list_models(principal: CurrentPrincipal, services: AppServices) -> ModelList:
    """Models of the configured providers that the key may call, the default first."""
    data = [ModelView.of(model) for model in await services.models(principal.scopes)]
    return ModelList(models=[model.id for model in data], data=data)
