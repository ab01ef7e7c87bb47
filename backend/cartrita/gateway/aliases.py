"""Alternative model names, and the models that they stand for."""

from typing import Final

import msgspec


class ModelAlias(msgspec.Struct, frozen=True):
    """A model at a provider; None is the provider's default model."""

    provider: str
    model: str | None = None


ALIASES: Final[dict[str, tuple[ModelAlias, ...]]] = {
    "llama3.1:8b": (ModelAlias("ollama", "llama3.1:8b"),),
    "qwen-coder": (ModelAlias("ollama", "qwen2.5-coder"),),
    "llama2-13b-vllm": (ModelAlias("vllm"),),
    "llama-cpp-python": (ModelAlias("llamacpp"),),
    "llama-cpp-native": (ModelAlias("llamacpp"),),
}
"""The first entry whose provider is configured is used."""
