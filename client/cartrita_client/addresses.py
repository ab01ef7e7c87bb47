"""The addresses of a server, from the base URL that its caller gives."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from cartrita_client.errors import UnusableAddress

_SCHEMES = {"http": "ws", "https": "wss"}
_LIKE = "base_url must be like http://127.0.0.1:8000, with or without /api."
_KEYLESS = "base_url takes no user, no query and no fragment: keys go elsewhere."
_DOTS = {".": "%2E", "..": "%2E%2E"}


@dataclass(frozen=True, slots=True)
class Address:
    """`root` has no trailing slash and no `/api`; what is asked for is put behind it."""

    root: str
    host: str

    @classmethod
    def of(cls, base_url: str) -> Address:
        """From `http://host:8000`, with or without `/api`. Raises UnusableAddress."""
        try:
            parts = urlsplit(base_url.strip())
            host, port = parts.hostname, parts.port
        except ValueError as problem:
            raise UnusableAddress(_LIKE) from problem
        if parts.scheme not in _SCHEMES or not host or port == 0:
            raise UnusableAddress(_LIKE)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise UnusableAddress(_KEYLESS)
        path = parts.path.rstrip("/").removesuffix("/api").rstrip("/")
        return cls(f"{parts.scheme}://{parts.netloc}{path}", host)

    def url(self, path: str) -> str:
        """The address of a path that begins with `/`."""
        return self.root + path

    def socket(self, path: str) -> str:
        """The address of a WebSocket."""
        scheme, _, rest = self.root.partition("://")
        return f"{_SCHEMES[scheme]}://{rest}{path}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, which is never asked through a proxy."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def fill(template: str, values: tuple[str, ...]) -> str:
    """A path with its parameters, each quoted so that it stays one segment.

    Raises UnusableAddress for an empty one.
    """
    filled = iter(values)
    return "/".join(
        _segment(next(filled)) if each[:1] == "{" else each for each in template.split("/")
    )


def _segment(value: str) -> str:
    if not value:
        raise UnusableAddress("An id must not be empty.")
    return _DOTS.get(value) or quote(value, safe="")
