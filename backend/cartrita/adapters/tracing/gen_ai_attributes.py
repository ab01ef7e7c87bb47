"""Observations in the words of OpenTelemetry's conventions for generative AI (`gen_ai.*`)."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from cartrita.adapters.tracing.observations import Kind, ModelUse, Observation
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.token_classes import Costs

_OPERATIONS: Final = {
    Kind.AGENT: "invoke_agent",
    Kind.GENERATION: "chat",
    Kind.EMBEDDING: "embeddings",
    Kind.TOOL: "execute_tool",
    Kind.RETRIEVER: "execute_tool",
}
_PARAMETERS: Final = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
    "seed": "gen_ai.request.seed",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
}


def gen_ai_attributes(observation: Observation) -> dict[str, JsonValue]:
    """All attributes of one observation; what the conventions have no word for is `cartrita.*`."""
    subject, kind = observation.subject, observation.kind
    agent = observation.metadata.get("agent", subject.agent)
    attributes: dict[str, JsonValue] = {
        "gen_ai.operation.name": _OPERATIONS.get(kind),
        "gen_ai.conversation.id": subject.session,
        "gen_ai.agent.name": observation.name if kind is Kind.AGENT else agent,
        "user.id": subject.user,
        "cartrita.tags": list(subject.tags),
        "error.type": observation.status if observation.failed else None,
        **_prefixed("cartrita.trace", subject.metadata),
        **_prefixed("cartrita", observation.metadata),
    }
    if kind in (Kind.TOOL, Kind.RETRIEVER):
        attributes["gen_ai.tool.name"] = observation.name
        attributes["gen_ai.tool.call.id"] = observation.metadata.get("call_id")
        attributes["gen_ai.tool.call.arguments"] = _told(observation.input)
        attributes["gen_ai.tool.call.result"] = _told(observation.output)
    else:
        attributes["gen_ai.input.messages"] = _told(observation.input)
        attributes["gen_ai.output.messages"] = _told(observation.output)
    if observation.use is not None:
        attributes |= _model(observation.use, observation.start)
        if observation.use.operation is not None:
            attributes["gen_ai.operation.name"] = observation.use.operation
    return {name: value for name, value in attributes.items() if value not in (None, [])}


def _model(use: ModelUse, start: int) -> JsonObject:
    usage = use.usage
    first = use.first_output
    stop = use.parameters.get("stop")
    return {
        "gen_ai.provider.name": use.provider,
        "gen_ai.request.model": use.model,
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens or None,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens or None,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens or None,
        "gen_ai.response.finish_reasons": [use.finish_reason] if use.finish_reason else None,
        "gen_ai.request.stop_sequences": stop if isinstance(stop, list) else None,
        "gen_ai.response.time_to_first_chunk": None if first is None else (first - start) / 1e9,
        **_costs(use.costs),
        **{name: use.parameters.get(own) for own, name in _PARAMETERS.items()},
    }


def _costs(costs: Costs | None) -> JsonObject:
    if costs is None:
        return {}
    total = sum(costs.values(), Decimal(0))
    parts = {name: float(cost) for name, cost in costs.items()}
    return {"cartrita.cost_usd": float(total), **_prefixed("cartrita.costs_usd", parts)}


def _prefixed(prefix: str, fields: Mapping[str, JsonValue]) -> JsonObject:
    return {f"{prefix}.{name}": value for name, value in fields.items()}


def _told(value: JsonValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
