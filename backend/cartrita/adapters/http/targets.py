"""Where requests go, and the bytes they begin with."""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urlsplit

import msgspec

from cartrita.adapters.http.transport import HttpRequest
from cartrita.kit.secret import Secret

_PORTS = {"http": 80, "https": 443}
_LINE_ENDS = re.compile(r"[\r\n\0]")
_UNQUOTED = "/:@!$&'()*+,;=~%?"  # in a path and its query; what is quoted already stays so


class Origin(msgspec.Struct, frozen=True):
    """A server; connections to one are as good as each other."""

    host: str
    port: int
    encrypted: bool


class HttpTarget(msgspec.Struct, frozen=True):
    """A URL, taken apart once: `path` with its query, and the headers that each request gets."""

    origin: Origin
    path: str
    headers: str

    def head(self, request: HttpRequest, user_agent: str) -> bytes:
        """The request up to its body. Raises ValueError for a header that is none."""
        lines = [f"{request.method} {self.path} HTTP/1.1\r\n{self.headers}", user_agent]
        if "Accept" not in request.headers:
            lines.append("Accept: */*")
        lines += [f"{name}: {value}" for name, value in revealed(request.headers).items()]
        if request.method == "POST":
            lines.append(f"Content-Length: {len(request.body)}")
        lines.append("\r\n")
        return "\r\n".join(lines).encode()


def target_of(url: str) -> HttpTarget:
    """The target of a URL. Raises ValueError for what is none, or holds a user or a password."""
    parts = urlsplit(url)
    port = _PORTS.get(parts.scheme)
    if port is None or not parts.hostname or "@" in parts.netloc:
        raise ValueError("This is no HTTP URL of a server alone.")
    host = parts.hostname
    if not host.isascii():
        host = host.encode("idna").decode()
    path = quote(parts.path or "/", safe=_UNQUOTED)
    if parts.query:
        path += "?" + quote(parts.query, safe=_UNQUOTED)
    name = f"[{host}]" if ":" in host else host
    if parts.port not in (None, port):
        name += f":{parts.port}"
    return HttpTarget(
        Origin(host, port if parts.port is None else parts.port, parts.scheme == "https"),
        path,
        f"Host: {name}\r\nAccept-Encoding: identity",
    )


def revealed(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    """Headers as they are sent. Raises ValueError for one that has more than one line."""
    plain = {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in headers.items()
    }
    if any(_LINE_ENDS.search(name + value) for name, value in plain.items()):
        raise ValueError("A header has more than one line.")
    return plain


find_target = lru_cache(maxsize=256)(target_of)
"""The same for URLs that are called again and again."""
