"""Creates the provider of a row of the registry, with the implementation of its dialect."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from cartrita.adapters.http.transport import MAX_BYTES, Deadlines, Transport
from cartrita.adapters.providers.anthropic_compatible import AnthropicCompatible
from cartrita.adapters.providers.credentials import Anonymous, Bearer, Credential, HeaderKey
from cartrita.adapters.providers.dialect_fallback import DialectFallback
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.oauth import OAuthBearer, TokenSource
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.adapters.providers.registry import Dialect, ProviderSpec
from cartrita.domain.ports.providers import KeyedProvider
from cartrita.kit.secret import Secret
from cartrita.kit.sse import MAX_LINE

MODEL_LOADING_SECONDS = 300.0
"""A local model server may first have to load a model of tens of gigabytes."""


class ProviderOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is configured for a provider.

    Without a `base_url`, the provider is at its usual address. With `tokens`, it is sent those
    instead of a `key`. `models` are the names that it
    offers; without them, the server is asked. `max_bytes` bounds a response, `line_limit` one line
    of a stream, in bytes. A local provider has at least `loading_seconds` to begin its answer.
    """

    base_url: str | None = None
    key: Secret | None = None
    tokens: TokenSource | None = None
    models: tuple[str, ...] = ()
    deadlines: Deadlines = Deadlines()
    max_bytes: int = MAX_BYTES
    line_limit: int = MAX_LINE
    loading_seconds: float = MODEL_LOADING_SECONDS


Constructor: TypeAlias = Callable[
    [ProviderSpec, ProviderConnection, ProviderOptions], KeyedProvider
]


def create_provider(
    spec: ProviderSpec, transport: Transport, options: ProviderOptions
) -> KeyedProvider:
    """A provider that can be called. Raises ValueError for a key that no header can carry."""
    connection = create_connection(spec, transport, options)
    first = CONSTRUCTORS[spec.dialect](spec, connection, options)
    if spec.second_dialect is None or spec.second_dialect == spec.dialect:
        return first
    second = CONSTRUCTORS[spec.second_dialect](spec, connection, options)
    return DialectFallback(first, second)


def create_connection(
    spec: ProviderSpec, transport: Transport, options: ProviderOptions
) -> ProviderConnection:
    """How a provider is reached. Raises ValueError for a key that no header can carry."""
    return ProviderConnection(
        name=spec.name,
        base_url=options.base_url or spec.base_url,
        transport=transport,
        credential=_credential(spec, options),
        use_key=partial(_key, spec),
        deadlines=_deadlines(spec, options),
        max_bytes=options.max_bytes,
        line_limit=options.line_limit,
    )


def _credential(spec: ProviderSpec, options: ProviderOptions) -> Credential:
    if options.tokens:
        return OAuthBearer(spec.name, options.tokens)
    if not options.key:
        return Anonymous()
    return _key(spec, options.key)


def _key(spec: ProviderSpec, key: Secret) -> Credential:
    return Bearer(key) if spec.bearer else HeaderKey(key, "x-api-key")


def _create_openai_chat(
    spec: ProviderSpec, connection: ProviderConnection, options: ProviderOptions
) -> KeyedProvider:
    return OpenAICompatible(
        connection,
        models=options.models,
        server_options=spec.server_options,
        relays=spec.relays,
    )


def _create_openai_responses(
    spec: ProviderSpec, connection: ProviderConnection, options: ProviderOptions
) -> KeyedProvider:
    return OpenAICompatible(
        connection, models=options.models, dialect="openai_responses", relays=spec.relays
    )


def _create_anthropic_messages(
    spec: ProviderSpec, connection: ProviderConnection, options: ProviderOptions
) -> KeyedProvider:
    return AnthropicCompatible(connection, models=options.models)


def _deadlines(spec: ProviderSpec, options: ProviderOptions) -> Deadlines:
    deadlines = options.deadlines
    if not spec.local:
        return deadlines
    headers = max(deadlines.headers, options.loading_seconds)
    return msgspec.structs.replace(deadlines, headers=headers)


CONSTRUCTORS: Mapping[Dialect, Constructor] = MappingProxyType(
    {
        "openai_chat": _create_openai_chat,
        "openai_responses": _create_openai_responses,
        "anthropic_messages": _create_anthropic_messages,
    }
)
"""By dialect: its keys are the dialects that can be configured."""
