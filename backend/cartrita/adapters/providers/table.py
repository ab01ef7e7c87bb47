"""The providers known by name, as data: a new OpenAI-like host is one entry."""

from typing import Literal

import msgspec

from cartrita.adapters.providers.credentials import Anonymous, Bearer
from cartrita.adapters.providers.http import MAX_BYTES, Deadlines, Transport
from cartrita.adapters.providers.openai_like import OpenAILike
from cartrita.dialects.openai_chat.types import Variant
from cartrita.domain.ports import ModelProvider
from cartrita.kit.secret import Secret
from cartrita.kit.sse import MAX_LINE

LOADING_SECONDS = 300.0
"""A model server may have to load a model first, some of them tens of gigabytes."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a provider before anybody configures it.

    `port` is where it usually listens, for those that run on one's own machine. `default_model` is
    its answer to a request without a model; None means the first that it lists.
    """

    name: str
    base_url: str
    dialect: Literal["openai_chat"] = "openai_chat"
    credential: Literal["bearer", "optional"] = "bearer"
    port: int | None = None
    default_model: str | None = None
    variant: Variant = Variant()

    @property
    def local(self) -> bool:
        """Whether it is a model server on one's own machine."""
        return self.port is not None


def _local(name: str, port: int) -> Entry:
    base_url = f"http://127.0.0.1:{port}/v1"
    return Entry(name=name, base_url=base_url, credential="optional", port=port)


PROVIDERS: dict[str, Entry] = {
    "openai": Entry(
        name="openai",
        base_url="https://api.openai.com/v1",
        default_model="gpt-5.4",
        variant=Variant(limit_field="max_completion_tokens"),
    ),
    "huggingface": Entry(
        name="huggingface",
        base_url="https://router.huggingface.co/v1",
        default_model="openai/gpt-oss-120b",
    ),
    "ollama": _local("ollama", 11434),
    "lmstudio": _local("lmstudio", 1234),
    "llamacpp": _local("llamacpp", 8080),
    "vllm": _local("vllm", 8000),
    "litellm": _local("litellm", 4000),
}
"""In the order in which they are preferred where nobody chose."""


def entry(name: str, base_url: str = "") -> Entry:
    """What is known under a name; an unknown one is an OpenAI-like host at `base_url`."""
    return PROVIDERS.get(name) or Entry(name=name, base_url=base_url, credential="optional")


def connect(
    known: Entry,
    transport: Transport,
    *,
    base_url: str | None = None,
    key: Secret | None = None,
    models: tuple[str, ...] = (),
    deadlines: Deadlines | None = None,
    max_bytes: int = MAX_BYTES,
    line_limit: int = MAX_LINE,
    loading_seconds: float = LOADING_SECONDS,
) -> ModelProvider:
    """A provider to call, at its usual address or at `base_url`.

    One on this machine has at least `loading_seconds` until it answers. `models` are those that it
    offers, where it need not be asked. Raises ValueError for a key that no header can carry.
    """
    limits = deadlines or Deadlines()
    if known.local:
        patience = max(limits.headers, loading_seconds)
        limits = msgspec.structs.replace(limits, headers=patience)
    return OpenAILike(
        name=known.name,
        base_url=base_url or known.base_url,
        transport=transport,
        credential=Bearer(key) if key else Anonymous(),
        models=models,
        deadlines=limits,
        variant=known.variant,
        max_bytes=max_bytes,
        line_limit=line_limit,
    )
