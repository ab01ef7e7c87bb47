"""Models in Anthropic's shape, whose list comes in pages."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from cartrita.domain.errors import InvalidInput

_UNKNOWN_DATE = "1970-01-01T00:00:00Z"


class Model(BaseModel):
    """A model, in Anthropic's shape."""

    type: str = Field(default="model", examples=["model"])
    id: str = Field(examples=["offline/assistant"])
    display_name: str
    created_at: str = Field(default=_UNKNOWN_DATE, description="Not known, so always the same.")


class ModelPage(BaseModel):
    """A page of models, in Anthropic's shape."""

    data: list[Model]
    has_more: bool
    first_id: str | None
    last_id: str | None


def model_of(model_id: str) -> Model:
    """One model by its id."""
    return Model(id=model_id, display_name=model_id)


def model_page(
    ids: Sequence[str], limit: int, after_id: str | None, before_id: str | None
) -> ModelPage:
    """At most `limit` models after one, or before one. Raises InvalidInput for an unknown id."""
    start, stop = 0, len(ids)
    if after_id is not None:
        start = _position(ids, "after_id", after_id) + 1
    if before_id is not None:
        stop = _position(ids, "before_id", before_id)
        start = max(start, stop - limit)
    found = ids[start : min(stop, start + limit)]
    more = start > 0 if before_id is not None else start + limit < stop
    return ModelPage(
        data=[model_of(each) for each in found],
        has_more=more,
        first_id=found[0] if found else None,
        last_id=found[-1] if found else None,
    )


def _position(ids: Sequence[str], field: str, model_id: str) -> int:
    try:
        return ids.index(model_id)
    except ValueError:
        raise InvalidInput.of(field, "there is no such model; begin without it") from None
