"""Observations in the words of Langfuse: the attributes that its own SDK writes."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeAlias

from langfuse import LangfuseOtelSpanAttributes as Names

from cartrita.adapters.tracing.observations import Level, ModelUse, Observation
from cartrita.domain.json import JsonValue
from cartrita.domain.ledger import ServiceUse
from cartrita.domain.token_classes import Costs, TokenClass, tokens_by_class

Attribute: TypeAlias = str | bool | int | tuple[str, ...]

_CLASSES: Final[Mapping[str, str]] = {
    TokenClass.INPUT: "input",
    TokenClass.AUDIO_INPUT: "input_audio_tokens",
    TokenClass.IMAGE_INPUT: "input_image_tokens",
    TokenClass.CACHE_READ: "input_cached_tokens",
    TokenClass.CACHE_WRITE: "input_cache_creation",
    TokenClass.CACHE_WRITE_1H: "input_cache_creation_1h",
    TokenClass.OUTPUT: "output",
    TokenClass.REASONING: "output_reasoning_tokens",
    TokenClass.AUDIO_OUTPUT: "output_audio_tokens",
    TokenClass.IMAGE_OUTPUT: "output_image_tokens",
}
"""Classes of tokens as Langfuse's own prices call them."""
_MOST: Final = 200
"""Characters of ids, names and tags; longer ones are refused."""


def langfuse_attributes(
    observation: Observation, environment: str | None, release: str | None
) -> dict[str, Attribute]:
    """All attributes of one observation."""
    subject, level = observation.subject, observation.level
    attributes: dict[str, Attribute | None] = {
        Names.OBSERVATION_TYPE: observation.kind.value,
        Names.OBSERVATION_INPUT: _told(observation.input),
        Names.OBSERVATION_OUTPUT: _told(observation.output),
        Names.OBSERVATION_LEVEL: None if level is Level.DEFAULT else level.value,
        Names.OBSERVATION_STATUS_MESSAGE: observation.status,
        Names.TRACE_NAME: _short(subject.name),
        Names.TRACE_USER_ID: _short(subject.user),
        Names.TRACE_SESSION_ID: None if subject.session is None else _short(subject.session),
        Names.TRACE_TAGS: tuple(dict.fromkeys(_short(tag) for tag in subject.tags if tag)),
        Names.ENVIRONMENT: environment,
        Names.RELEASE: release,
        Names.IS_APP_ROOT: True if observation.parent is None else None,
        **_metadata(Names.TRACE_METADATA, subject.metadata),
        **_metadata(Names.OBSERVATION_METADATA, observation.metadata),
        **({} if observation.use is None else _model(observation.use)),
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _model(use: ModelUse) -> dict[str, str | int | None]:
    first, prompt = use.first_output, use.prompt
    return {
        Names.OBSERVATION_MODEL: use.model,
        Names.OBSERVATION_MODEL_PARAMETERS: _told(use.parameters) if use.parameters else None,
        Names.OBSERVATION_USAGE_DETAILS: json.dumps(_usage(use)),
        Names.OBSERVATION_COST_DETAILS: None
        if use.costs is None
        else json.dumps(_costs(use.costs)),
        # The SDK writes this one as a JSON string.
        Names.OBSERVATION_COMPLETION_START_TIME: None if first is None else json.dumps(_iso(first)),
        f"{Names.OBSERVATION_METADATA}.provider": json.dumps(use.provider),
        Names.OBSERVATION_PROMPT_NAME: None if prompt is None else prompt.name,
        Names.OBSERVATION_PROMPT_VERSION: None if prompt is None else prompt.version,
        **_metadata(Names.OBSERVATION_METADATA, {"finish_reason": use.finish_reason}),
    }


def _usage(use: ModelUse) -> dict[str, int]:
    """Tokens by class: Langfuse adds the classes up, so none is a part of another.

    What services did is no token, and a whole number, as Langfuse takes no other.
    """
    classes = {_CLASSES[name]: count for name, count in tokens_by_class(use.usage).items()}
    return {
        "input": 0,
        "output": 0,
        **classes,
        **_service_use(use.service),
        "total": use.usage.total_tokens,
    }


def _service_use(service: ServiceUse) -> dict[str, int]:
    counts = {
        "audio_milliseconds": round(service.audio_seconds * 1000),
        "characters": service.characters,
    }
    return {name: count for name, count in counts.items() if count}


def _costs(costs: Costs) -> dict[str, float]:
    """US dollars by the same names, and by those of a provider's own tools.

    Langfuse takes what it is told, and adds nothing up: so the total is told too.
    """
    parts = {_CLASSES.get(name, name): float(cost) for name, cost in costs.items()}
    return {**parts, "total": float(sum(costs.values(), Decimal(0)))}


def _metadata(prefix: str, fields: Mapping[str, JsonValue]) -> dict[str, str]:
    return {
        f"{prefix}.{name}": json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        for name, value in fields.items()
        if value is not None
    }


def _told(value: JsonValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    """A text as ids, names and tags have to be."""
    return text.encode("ascii", "replace").decode()[:_MOST]


def _iso(time: int) -> str:
    return datetime.fromtimestamp(time / 1e9, UTC).isoformat().replace("+00:00", "Z")
