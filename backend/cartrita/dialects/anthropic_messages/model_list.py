"""Parses lists of models, which come in pages, and what they tell of each model."""

import msgspec

from cartrita.dialects.anthropic_messages.models import known_options
from cartrita.domain.models import ModelProfile
from cartrita.kit.text import storable_text

_CAPABILITIES = ("text", "stream", "tools", "vision", "documents")


class _ListedModel(msgspec.Struct):
    id: str
    max_input_tokens: int | None = None
    max_tokens: int | None = None


class _ModelList(msgspec.Struct):
    data: list[_ListedModel] | None
    has_more: bool | None = None
    last_id: str | None = None


class ModelPage(msgspec.Struct, frozen=True):
    """Names of models with their profiles; `next_after` is the cursor of the next page."""

    models: tuple[tuple[str, ModelProfile], ...]
    next_after: str | None


def parse_models(body: bytes) -> ModelPage:
    """One page of a list. Raises ValueError if it is none."""
    try:
        page = msgspec.json.decode(body, type=_ModelList)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    models = tuple((storable_text(one.id), _profile(one)) for one in page.data or ())
    return ModelPage(models, page.last_id if page.has_more else None)


def _profile(model: _ListedModel) -> ModelProfile:
    options = known_options(model.id)
    known = "claude" in model.id
    reasons = ("reasoning",) if options.thinking else ()
    json = ("json",) if options.json_schema else ()
    return ModelProfile(
        capabilities=(*_CAPABILITIES, *json, *reasons) if known else ModelProfile().capabilities,
        context_tokens=model.max_input_tokens or (200_000 if known else None),
        output_tokens=model.max_tokens or options.output_tokens,
        known=known,
        continues="prefill" if known and options.prefill else "instruction",
    )
