"""Scopes: what an API key may do."""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from cartrita.domain.errors import Forbidden
from cartrita.domain.name_patterns import LONGEST_NAME, expression, matches
from cartrita.domain.speech import SPEECH_ONLY

Names: TypeAlias = tuple[str, ...]
_MOST_TOLD = 5


class Operation(StrEnum):
    """What keys are used for; a route or a call is of one of them.

    `chat` asks models for answers, in runs or without; `embeddings` asks them for vectors;
    `search` searches the web and GitHub; `voice` transcribes what is said, and speaks;
    `desktop` starts, watches and controls desktops, and `desktop:never` lets agents use them
    without asking; `conversations` reads and changes what is stored; `keys` makes and ends keys of
    the same user; `admin` administers the tenant of a user who may.
    """

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    SEARCH = "search"
    VOICE = "voice"
    DESKTOP = "desktop"
    DESKTOP_NEVER = "desktop:never"
    CONVERSATIONS = "conversations"
    KEYS = "keys"
    ADMIN = "admin"


class Scopes(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """What a key may do; None allows all, and an empty tuple nothing.

    `models` are patterns in which `*` stands for any text: with a slash they are compared with
    `provider/model`, without one with the name of a model at any provider. `tools` are patterns of
    the names of tools that a provider runs, as `web_search`; those that the caller runs are not
    limited. The limits are of this key, in requests and in tokens of all kinds.
    """

    providers: Names | None = None
    models: Names | None = None
    operations: Names | None = None
    tools: Names | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    @property
    def limited(self) -> bool:
        """Whether there is anything that a key with these may not do."""
        return self is not UNLIMITED and self != UNLIMITED

    @property
    def only_provider(self) -> str | None:
        """The provider, if one alone may be called of those that serve models."""
        answering = [one for one in self.providers or () if one not in SPEECH_ONLY]
        return answering[0] if len(answering) == 1 else None

    def allows_operation(self, operation: Operation) -> bool:
        return self.operations is None or operation in self.operations

    def allows_provider(self, name: str) -> bool:
        return self.providers is None or name in self.providers

    def allows_model(self, provider: str, name: str) -> bool:
        """Whether this model may be called at this provider."""
        if not self.allows_provider(provider):
            return False
        return self.models is None or _matches_model(self.models, f"{provider}/{name}")

    def allows_tool(self, name: str) -> bool:
        return self.tools is None or matches(self.tools, name)

    def require_operation(self, operation: Operation) -> None:
        """Raise Forbidden unless the operation is allowed."""
        if not self.allows_operation(operation):
            raise _refusal("operation", "operations", self.operations, operation)

    def require_provider(self, name: str) -> None:
        """Raise Forbidden unless the provider may be called."""
        if not self.allows_provider(name):
            raise _refusal("provider", "providers", self.providers, name)

    def require_model(self, provider: str, name: str) -> None:
        """Raise Forbidden unless this model may be called at this provider."""
        self.require_provider(provider)
        if not self.allows_model(provider, name):
            raise _refusal("model", "models", self.models, f"{provider}/{name}")

    def require_tools(self, names: Iterable[str]) -> None:
        """Raise Forbidden unless all of these tools may be used."""
        for name in names:
            if not self.allows_tool(name):
                raise _refusal("tool", "tools", self.tools, name)

    def excess(self, other: "Scopes") -> str | None:
        """The field by which `other` would allow more than these; None if there is none."""
        checks: tuple[tuple[str, bool], ...] = (
            ("providers", _among(self.providers, other.providers, _equal)),
            ("models", _among(self.models, _at_providers(other.models), _matches_model)),
            ("operations", _among(self.operations, other.operations, _equal)),
            ("tools", _among(self.tools, other.tools, _wildcard)),
            ("requests_per_minute", _below(self.requests_per_minute, other.requests_per_minute)),
            ("tokens_per_minute", _below(self.tokens_per_minute, other.tokens_per_minute)),
        )
        return next((field for field, covered in checks if not covered), None)


UNLIMITED: Final = Scopes()
NOTHING: Final = Scopes(providers=(), models=(), operations=(), tools=())
"""Of a principal whose key has not been looked up."""


def _refusal(noun: str, nouns: str, allowed: Names | None, wanted: str) -> Forbidden:
    told = ", ".join((allowed or ())[:_MOST_TOLD]) or "none"
    more = ", ..." if len(allowed or ()) > _MOST_TOLD else ""
    return Forbidden(
        f"This API key may not use the {noun} {wanted}. Its {nouns}: {told}{more}.",
        code=f"scope_{noun}",
    )


@lru_cache(maxsize=1024)
def _model_pattern(patterns: Names) -> re.Pattern[str]:
    """The same of models, in which a pattern without a slash is of names at any provider."""
    return re.compile("|".join(_at_any(one) + expression(one) for one in patterns))


def _at_any(pattern: str) -> str:
    """An expression of the provider and its slash, where a pattern of models names none.

    A `*` before the slash of another pattern may stand for a part of the name, too: only those that
    begin with one cover that.
    """
    if "/" in pattern:
        return ""
    return "[^/]*/" if pattern.startswith("*") else "[^/*]*/"


def _matches_model(patterns: Names, name: str) -> bool:
    if not patterns or len(name) > LONGEST_NAME:
        return False
    return _model_pattern(patterns).match(name) is not None


def _at_providers(models: Names | None) -> Names | None:
    """Patterns of models, each with a slash, to be compared with others; no provider is any."""
    return None if models is None else tuple(one if "/" in one else f"/{one}" for one in models)


def _equal(own: Names, other: str) -> bool:
    return other in own


def _wildcard(own: Names, other: str) -> bool:
    """Whether own patterns match all that another matches: its `*` is matched by a `*` only."""
    return matches(own, other)


def _among(own: Names | None, other: Names | None, covers: Callable[[Names, str], bool]) -> bool:
    if own is None:
        return True
    return other is not None and all(covers(own, one) for one in other)


def _below(own: int | None, other: int | None) -> bool:
    return own is None or (other is not None and other <= own)
