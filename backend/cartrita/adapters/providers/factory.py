"""Creates a provider that can be called from its row in the registry and what was configured."""

import msgspec

from cartrita.adapters.providers.credentials import Anonymous, Bearer
from cartrita.adapters.providers.http import MAX_BYTES, Deadlines, Transport
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.adapters.providers.registry import ProviderSpec
from cartrita.domain.ports import ModelProvider
from cartrita.kit.secret import Secret
from cartrita.kit.sse import MAX_LINE

MODEL_LOADING_SECONDS = 300.0
"""A local model server may first have to load a model of tens of gigabytes."""


def create_provider(
    spec: ProviderSpec,
    transport: Transport,
    *,
    base_url: str | None = None,
    key: Secret | None = None,
    models: tuple[str, ...] = (),
    deadlines: Deadlines | None = None,
    max_bytes: int = MAX_BYTES,
    line_limit: int = MAX_LINE,
    loading_seconds: float = MODEL_LOADING_SECONDS,
) -> ModelProvider:
    """A provider at its usual address, or at `base_url`.

    One on this machine has at least `loading_seconds` to begin its answer. `models` are the names
    that it offers; without them, the server is asked. `max_bytes` bounds a response, `line_limit`
    one line of a stream, in bytes. Raises ValueError for a key that no header can carry.
    """
    limits = deadlines or Deadlines()
    if spec.local:
        headers = max(limits.headers, loading_seconds)
        limits = msgspec.structs.replace(limits, headers=headers)
    return OpenAICompatible(
        name=spec.name,
        base_url=base_url or spec.base_url,
        transport=transport,
        credential=Bearer(key) if key else Anonymous(),
        models=models,
        deadlines=limits,
        variant=spec.variant,
        max_bytes=max_bytes,
        line_limit=line_limit,
    )
