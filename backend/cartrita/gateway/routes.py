"""Deployments of models, and the routes: names that stand for deployments."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from cartrita.domain.messages import Role
from cartrita.domain.requests import ModelRequest


class Deployment(msgspec.Struct, frozen=True):
    """A model at a provider; `model` is the provider's name for it."""

    provider: str
    model: str

    @property
    def id(self) -> str:
        """`provider/model`."""
        return f"{self.provider}/{self.model}"


class Target(msgspec.Struct, frozen=True):
    """A deployment of a route, as `provider/model`, or a provider for that one's default model.

    Neighbours with a `weight` are equals, which share the calls by weight. Others are called in
    their order, each where those before it cannot answer.
    """

    name: str
    weight: int | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A name that stands for deployments, in order of preference.

    An answer that broke off is continued by the same model, or by `any` of the route. Answers are
    cached for `cache_ttl` seconds, if at all. `or_default` appends the default model where no
    target is configured.
    """

    targets: tuple[Target, ...]
    continue_with: Literal["same", "any"] = "same"
    cache_ttl: float | None = None
    or_default: bool = False


AUTO: Final = "auto"
"""The route that is `code` or `chat`, by what is asked: see `infer`."""

_CODE_WORDS = ("function", "class", "implement", "code", "programming")

ROUTES: Final[Mapping[str, Route]] = MappingProxyType(
    {
        "llama3.1:8b": Route(targets=(Target("ollama/llama3.1:8b"),)),
        "qwen-coder": Route(targets=(Target("ollama/qwen2.5-coder"),)),
        "llama2-13b-vllm": Route(targets=(Target("vllm"),)),
        "llama-cpp-python": Route(targets=(Target("llamacpp"),)),
        "llama-cpp-native": Route(targets=(Target("llamacpp"),)),
        "code": Route(targets=(Target("ollama/qwen2.5-coder"),), or_default=True),
        "chat": Route(targets=(Target("ollama/llama3.1:8b"),), or_default=True),
        "high_volume": Route(targets=(Target("vllm"),), or_default=True),
    }
)
"""The routes that are always there; models of these names go before them.

The routes of `cartrita.toml` go before models, and replace these.
"""


def infer(request: ModelRequest) -> str:
    """`code` if the last message of the user has one of the code words in it, else `chat`.

    The words are function, class, implement, code and programming, in any letter case, and as parts
    of other words too.
    """
    asked = (one.text for one in reversed(request.messages) if one.role is Role.USER)
    text = next(asked, "").lower()
    return "code" if any(word in text for word in _CODE_WORDS) else "chat"
