"""Models in OpenAI's shape."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from cartrita.domain.models import ModelInfo

OWNER = "cartrita"
"""Who owns the names that belong to no provider: agents and routes."""


class Model(BaseModel):
    """A model, in OpenAI's shape."""

    id: str = Field(examples=["offline/assistant"])
    object: str = Field(default="model", examples=["model"])
    created: int = Field(default=0, description="Not known, so always 0.")
    owned_by: str = Field(description="The provider, or `cartrita`.")


class ModelList(BaseModel):
    """All models, in OpenAI's shape."""

    object: str = Field(default="list", examples=["list"])
    data: list[Model]


def model_list(models: Sequence[ModelInfo], names: Sequence[str]) -> ModelList:
    """The models of providers, and the names of agents and routes before them."""
    own = [Model(id=name, owned_by=OWNER) for name in names]
    return ModelList(data=[*own, *(Model(id=each.id, owned_by=each.provider) for each in models)])
