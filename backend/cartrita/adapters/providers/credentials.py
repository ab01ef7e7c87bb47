"""The credentials that authenticate calls to a provider."""

from typing import Protocol

from cartrita.kit.secret import Secret


class Credential(Protocol):
    """Produces the headers that authenticate a call; it may have to fetch a token first."""

    async def headers(self) -> dict[str, Secret]: ...

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The values to mask in every error message, including the provider's own."""
        ...


class Anonymous:
    """No credential: most model servers on one's own machine need none."""

    secrets: tuple[Secret, ...] = ()

    async def headers(self) -> dict[str, Secret]:
        """No headers."""
        return {}


class Bearer:
    """A key in the `Authorization` header. Raises ValueError for a key that no header can carry."""

    def __init__(self, key: Secret) -> None:
        text = key.reveal().strip()
        if not text or not text.isascii() or not text.isprintable():
            raise ValueError("a key consists of printable ASCII characters; check for stray ones")
        self.secrets = (Secret(text),)
        self._header = Secret(f"Bearer {text}")

    async def headers(self) -> dict[str, Secret]:
        """The `Authorization` header."""
        return {"Authorization": self._header}
