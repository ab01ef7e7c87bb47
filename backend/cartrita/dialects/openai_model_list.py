"""Parses the lists of models of OpenAI-compatible servers, and what they tell of each model.

The names of the fields differ: OpenRouter, Groq, vLLM, LM Studio, Mistral, llama.cpp and the router
of Hugging Face each have their own. Fields of another type than theirs are ignored.
"""

from collections.abc import Iterator
from typing import cast

from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.models import ModelProfile
from cartrita.domain.usage import MOST_TOKENS
from cartrita.kit import json_answers
from cartrita.kit.text import storable_text

_CONTEXT_FIELDS = (
    "context_length",
    "context_window",
    "max_model_len",
    "max_context_length",
    "max_input_tokens",
)
_OUTPUT_FIELDS = ("max_output_tokens", "max_completion_tokens", "output_token_limit")
_MODALITIES = {"image": "vision", "audio": "audio", "file": "documents"}
_PARAMETERS = {
    "tools": "tools",
    "response_format": "json",
    "structured_outputs": "json",
    "reasoning": "reasoning",
}
_FLAGS = {
    "function_calling": "tools",
    "tool_use": "tools",
    "vision": "vision",
    "audio": "audio",
    "reasoning": "reasoning",
    "supports_tools": "tools",
    "supports_structured_output": "json",
}
_BASIC = ModelProfile().capabilities


def parse_models(body: bytes) -> list[tuple[str, ModelProfile]]:
    """The names of the models with their profiles. Raises ValueError if it is not a list of models.

    A server without models answers with null.
    """
    listing: JsonValue = json_answers.read(body)
    if not isinstance(listing, dict) or "data" not in listing:
        raise ValueError("it has no data")
    models = listing["data"] or []
    if not isinstance(models, list):
        raise ValueError("its data is not a list")
    return [(storable_text(_name(model)), _profile(cast("JsonObject", model))) for model in models]


def _name(model: JsonValue) -> str:
    name = model.get("id") if isinstance(model, dict) else None
    if not isinstance(name, str):
        raise ValueError("a model has no id")
    return name


def _profile(model: JsonObject) -> ModelProfile:
    told = set(_capabilities(model))
    providers = [one for one in _list(model, "providers") if isinstance(one, dict)]
    for provider in providers:
        told |= set(_flags(provider))
    if "embed" in str(model["id"]).lower() or model.get("type") == "embeddings":
        return ModelProfile(capabilities=("embeddings",), context_tokens=_context(model, providers))
    top = _object(model, "top_provider")
    return ModelProfile(
        capabilities=(*_BASIC, *sorted(told)),
        context_tokens=_context(model, providers),
        output_tokens=_first_count(model, _OUTPUT_FIELDS) or _first_count(top, _OUTPUT_FIELDS),
        known=bool(told),
    )


def _capabilities(model: JsonObject) -> Iterator[str]:
    yield from _flags(model)
    yield from _flags(_object(model, "capabilities"))
    for names, known in (
        (_list(_object(model, "architecture"), "input_modalities"), _MODALITIES),
        (_list(model, "input_modalities"), _MODALITIES),
        (_list(model, "supported_parameters"), _PARAMETERS),
        (_list(model, "capabilities"), _FLAGS),
    ):
        yield from (known[str(name)] for name in names if str(name) in known)
    if model.get("type") == "vlm":  # LM Studio
        yield "vision"


def _flags(fields: JsonObject) -> Iterator[str]:
    return (capability for name, capability in _FLAGS.items() if fields.get(name) is True)


def _context(model: JsonObject, providers: list[JsonObject]) -> int | None:
    own = _first_count(model, _CONTEXT_FIELDS)
    meta = _first_count(_object(model, "meta"), ("n_ctx", "n_ctx_train"))  # llama.cpp
    served = [count for one in providers if (count := _first_count(one, _CONTEXT_FIELDS))]
    return own or meta or (max(served) if served else None)


def _first_count(fields: JsonObject, names: tuple[str, ...]) -> int | None:
    values = (fields.get(name) for name in names)
    return next((one for one in values if type(one) is int and 0 < one <= MOST_TOKENS), None)


def _object(fields: JsonObject, name: str) -> JsonObject:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _list(fields: JsonObject, name: str) -> list[JsonValue]:
    value = fields.get(name)
    return value if isinstance(value, list) else []
