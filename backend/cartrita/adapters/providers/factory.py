"""Creates the provider of a row of the registry, with the implementation of its dialect."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from cartrita.adapters.providers.credentials import Anonymous, Bearer
from cartrita.adapters.providers.exchange import Connection
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.adapters.providers.registry import Dialect, ProviderSpec
from cartrita.adapters.providers.transport import MAX_BYTES, Deadlines, Transport
from cartrita.domain.ports.providers import ModelProvider
from cartrita.kit.secret import Secret
from cartrita.kit.sse import MAX_LINE

MODEL_LOADING_SECONDS = 300.0
"""A local model server may first have to load a model of tens of gigabytes."""


class ProviderOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is configured for a provider.

    Without a `base_url`, the provider is at its usual address. `models` are the names that it
    offers; without them, the server is asked. `max_bytes` bounds a response, `line_limit` one line
    of a stream, in bytes. A local provider has at least `loading_seconds` to begin its answer.
    """

    base_url: str | None = None
    key: Secret | None = None
    models: tuple[str, ...] = ()
    deadlines: Deadlines = Deadlines()
    max_bytes: int = MAX_BYTES
    line_limit: int = MAX_LINE
    loading_seconds: float = MODEL_LOADING_SECONDS


Constructor: TypeAlias = Callable[[ProviderSpec, Transport, ProviderOptions], ModelProvider]


def create_provider(
    spec: ProviderSpec, transport: Transport, options: ProviderOptions
) -> ModelProvider:
    """A provider that can be called.

    Raises ValueError for a key that no header can carry, and for a dialect that has no constructor.
    """
    if spec.dialect not in CONSTRUCTORS:
        raise ValueError(f"{spec.name} speaks {spec.dialect}, which this server does not")
    return CONSTRUCTORS[spec.dialect](spec, transport, options)


def _create_openai_chat(
    spec: ProviderSpec, transport: Transport, options: ProviderOptions
) -> ModelProvider:
    connection = Connection(
        name=spec.name,
        base_url=options.base_url or spec.base_url,
        transport=transport,
        credential=Bearer(options.key) if options.key else Anonymous(),
        deadlines=_deadlines(spec, options),
        max_bytes=options.max_bytes,
        line_limit=options.line_limit,
    )
    return OpenAICompatible(
        connection,
        models=options.models,
        server_options=spec.server_options,
        relays=spec.relays,
    )


def _deadlines(spec: ProviderSpec, options: ProviderOptions) -> Deadlines:
    deadlines = options.deadlines
    if not spec.local:
        return deadlines
    headers = max(deadlines.headers, options.loading_seconds)
    return msgspec.structs.replace(deadlines, headers=headers)


CONSTRUCTORS: Mapping[Dialect, Constructor] = MappingProxyType({"openai_chat": _create_openai_chat})
"""By dialect: its keys are the dialects that can be configured."""
