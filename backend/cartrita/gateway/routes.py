"""Deployments of models, and the routes: names that stand for deployments."""

from typing import Final

import msgspec


class Deployment(msgspec.Struct, frozen=True):
    """A model at a provider; `model` is the provider's name for it."""

    provider: str
    model: str

    @property
    def id(self) -> str:
        """`provider/model`."""
        return f"{self.provider}/{self.model}"


ROUTES: Final[dict[str, tuple[str, ...]]] = {
    "llama3.1:8b": ("ollama/llama3.1:8b",),
    "qwen-coder": ("ollama/qwen2.5-coder",),
    "llama2-13b-vllm": ("vllm",),
    "llama-cpp-python": ("llamacpp",),
    "llama-cpp-native": ("llamacpp",),
}
"""Each entry is `provider/model`, or a provider, which stands for that provider's default model.

The first entry whose provider is configured is used.
"""
