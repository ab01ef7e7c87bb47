"""The header Host of a handshake names a host, and the origin is that of the page."""

import pytest
from starlette.requests import HTTPConnection

from cartrita.domain.errors import Forbidden
from cartrita.surfaces.origins import own_origin, require_host


def connection(*hosts: str, scheme: str = "ws") -> HTTPConnection:
    headers = [(b"host", host.encode()) for host in hosts]
    return HTTPConnection({"type": "websocket", "scheme": scheme, "headers": headers})


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "example.com", "a-b.example:443", "a:"]
)
def test_hosts(host: str) -> None:
    require_host(connection(host))


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        ["x/health?"],
        ["x#"],
        ["user@host"],
        ["a b"],
        ["host:port"],
        ["host:123456"],
        ["[::1"],
        ["h\u00f6st"],
        ["a", "a"],
    ],
)
def test_what_names_none(hosts: list[str]) -> None:
    with pytest.raises(Forbidden) as refused:
        require_host(connection(*hosts))
    assert refused.value.code == "forbidden_host"


@pytest.mark.parametrize(("scheme", "page"), [("ws", "http"), ("wss", "https"), ("http", "http")])
def test_the_origin_of_a_page(scheme: str, page: str) -> None:
    assert own_origin(connection("a:1", scheme=scheme)) == f"{page}://a:1"
