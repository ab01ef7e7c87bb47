"""How a provider is shown who calls it."""

from typing import Protocol

from cartrita.kit.secret import Secret


class Credential(Protocol):
    """Makes the headers that authenticate a call; it may have to fetch a token first."""

    async def headers(self) -> dict[str, Secret]: ...

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must not appear in any message, whoever wrote it."""
        ...


class Anonymous:
    """No credential: most model servers on one's own machine want none."""

    secrets: tuple[Secret, ...] = ()

    async def headers(self) -> dict[str, Secret]:
        """None."""
        return {}


class Bearer:
    """A key in `Authorization`. Raises ValueError for a key that no header can carry."""

    def __init__(self, key: Secret) -> None:
        text = key.reveal().strip()
        if not text or not text.isascii() or not text.isprintable():
            raise ValueError("a key consists of printable ASCII characters; check for stray ones")
        self.secrets = (Secret(text),)
        self._header = Secret(f"Bearer {text}")

    async def headers(self) -> dict[str, Secret]:
        """The one header."""
        return {"Authorization": self._header}
