"""The credentials that authenticate calls to a provider."""

from collections.abc import Mapping
from typing import Protocol

from cartrita.kit.secret import Secret


class Credential(Protocol):
    """Produces the headers that authenticate a call; it may have to fetch a token first."""

    async def headers(self) -> dict[str, Secret]: ...

    def discard(self, refused: Mapping[str, str | Secret]) -> bool:
        """Give up what the provider refused; whether `headers` would return another.

        `refused` are the headers of the request that was answered with status 401.
        """
        ...

    def accepted(self, sent: Mapping[str, str | Secret]) -> None:
        """Told the headers of a request that was answered with success."""
        ...

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The values to mask in every error message, including the provider's own."""
        ...


def sent_tokens(headers: Mapping[str, str | Secret]) -> tuple[Secret, ...]:
    """What is secret in the headers of a request, without the word before it, as `Bearer`."""
    secret = (value.reveal() for value in headers.values() if isinstance(value, Secret))
    return tuple(Secret(value.rpartition(" ")[2]) for value in secret)


class Anonymous:
    """No credential: most model servers on one's own machine need none."""

    secrets: tuple[Secret, ...] = ()

    async def headers(self) -> dict[str, Secret]:
        """No headers."""
        return {}

    def discard(self, refused: Mapping[str, str | Secret]) -> bool:
        """There is no other."""
        return False

    def accepted(self, sent: Mapping[str, str | Secret]) -> None:
        """It stays the same."""


class HeaderKey:
    """A key in a header of its own. Raises ValueError for a key that no header can carry."""

    def __init__(self, key: Secret, header: str, prefix: str = "") -> None:
        text = key.reveal().strip()
        if not text or not text.isascii() or not text.isprintable():
            raise ValueError("a key consists of printable ASCII characters; check for stray ones")
        self.secrets = (Secret(text),)
        self._headers = {header: Secret(f"{prefix}{text}")}

    async def headers(self) -> dict[str, Secret]:
        """The one header."""
        return dict(self._headers)

    def discard(self, refused: Mapping[str, str | Secret]) -> bool:
        """There is no other."""
        return False

    def accepted(self, sent: Mapping[str, str | Secret]) -> None:
        """It stays the same."""


class Bearer(HeaderKey):
    """A key in the `Authorization` header. Raises ValueError for a key that no header can carry."""

    def __init__(self, key: Secret) -> None:
        super().__init__(key, "Authorization", "Bearer ")
