"""Which key goes with a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cartrita_client.operations import Operation

_FIRST = "openai"
"""Chat's provider in the habit of the first frontends, whose key stands for its caller."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """A key of the server, and keys of providers; no text of it shows any.

    A provider's key goes with the operations that call that provider, in its own place. With all
    others goes the server's key. Without one, the first provider's key says who calls: openai's, if
    it is there. It is never sent to where another provider is called; who chats without naming a
    provider leaves open which.
    """

    api_key: str | None = None
    of_providers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __repr__(self) -> str:
        return f"Keys(api_key={'***' if self.api_key else None}, of={sorted(self.of_providers)})"

    def key_for(self, operation: Operation, chosen: object = None) -> str | None:
        """The key for an operation; `chosen` is the field `provider` of its request."""
        return self.named_key_for(operation, chosen)[1]

    def named_key_for(
        self, operation: Operation, chosen: object = None
    ) -> tuple[str | None, str | None]:
        """The same, with the provider whose key it is."""
        named = chosen if operation.provider_in_body and isinstance(chosen, str) else None
        provider = named or operation.provider
        if provider and provider in self.of_providers:
            return provider, self.of_providers[provider]
        if self.api_key is not None:
            return None, self.api_key
        left_open = operation.provider == _FIRST and not named
        if left_open or (operation.provider is None and not operation.provider_in_body):
            return self._anybody
        return None, None

    @property
    def _anybody(self) -> tuple[str | None, str | None]:
        name = _FIRST if _FIRST in self.of_providers else next(iter(self.of_providers), None)
        return name, None if name is None else self.of_providers[name]


def checked(key: str | None, what: str) -> str | None:
    """The key as it is sent. Raises ValueError, without the key, for what no header can hold."""
    if key is None or not key.strip():
        return None
    stripped = key.strip()
    if not stripped.isascii() or not stripped.isprintable():
        raise ValueError(f"{what} has characters that no key has: copy it again.")
    return stripped
