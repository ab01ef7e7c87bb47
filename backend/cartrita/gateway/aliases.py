"""Names of models that are no model's name at any provider, and what they stand for."""

from typing import Final

import msgspec


class Alias(msgspec.Struct, frozen=True):
    """A model at a provider; None is the provider's own default."""

    provider: str
    model: str | None = None


ALIASES: Final[dict[str, tuple[Alias, ...]]] = {
    "llama3.1:8b": (Alias("ollama", "llama3.1:8b"),),
    "qwen-coder": (Alias("ollama", "qwen2.5-coder"),),
    "llama2-13b-vllm": (Alias("vllm"),),
    "llama-cpp-python": (Alias("llamacpp"),),
    "llama-cpp-native": (Alias("llamacpp"),),
}
"""The first whose provider is configured counts."""
