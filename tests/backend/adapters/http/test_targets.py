"""URLs and headers as they go out, and those that do not."""

import pytest

from cartrita.adapters.http.targets import Origin, find_target
from cartrita.adapters.http.transport import HttpRequest
from cartrita.kit.secret import Secret


def lines(url: str, *, body: bytes = b"", **headers: str | Secret) -> list[str]:
    request = HttpRequest(
        provider="p",
        method="POST" if body else "GET",
        url=url,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
    )
    head = find_target(url).head(request, "User-Agent: test").decode()
    assert head.endswith("\r\n\r\n")
    return head.split("\r\n")[:-2]


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("http://h", Origin("h", 80, False), "h"),
        ("https://H/v1", Origin("h", 443, True), "h"),
        ("http://h:80/", Origin("h", 80, False), "h"),
        ("https://h:80/", Origin("h", 80, True), "h:80"),
        ("http://[::1]:8080/v1", Origin("::1", 8080, False), "[::1]:8080"),
        ("http://bücher.example/", Origin("xn--bcher-kva.example", 80, False), None),
    ],
)
def test_where_a_url_leads(url: str, origin: Origin, host: str | None) -> None:
    assert find_target(url).origin == origin
    assert f"Host: {host or origin.host}" in lines(url)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h", "/"),
        ("http://h/v1/models", "/v1/models"),
        ("http://h?a=b", "/?a=b"),
        ("http://h/a%20b/c?d=%2F&e=f#g", "/a%20b/c?d=%2F&e=f"),
        ("http://h/a b/ü?d=é", "/a%20b/%C3%BC?d=%C3%A9"),
        ("http://h/deployments/gpt:4@1/x?api-version=7", "/deployments/gpt:4@1/x?api-version=7"),
    ],
)
def test_the_path_that_is_asked_for(url: str, path: str) -> None:
    assert lines(url)[0] == f"GET {path} HTTP/1.1"


def test_all_that_is_sent_before_a_body() -> None:
    assert lines("http://h/v1", body=b"{}", Authorization=Secret("Bearer k"), x_a="ü") == [
        "POST /v1 HTTP/1.1",
        "Host: h",
        "Accept-Encoding: identity",
        "User-Agent: test",
        "Accept: */*",
        "Authorization: Bearer k",
        "x-a: ü",
        "Content-Length: 2",
    ]


def test_a_request_that_wants_one_type_says_no_other() -> None:
    sent = lines("http://h/v1", Accept="application/vnd.github+json")
    assert [one for one in sent if one.startswith("Accept:")] == [
        "Accept: application/vnd.github+json"
    ]


@pytest.mark.parametrize("value", ["a\r\nX-Evil: b", "a\nb", "a\rb", "a\0b", "\ud800"])
def test_headers_that_are_none(value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        lines("http://h", Authorization=Secret(value))


@pytest.mark.parametrize(
    "url",
    ["", "h", "http://", "http://:80/", "ftp://h/", "http://h:x/", "http://[::1/", "http://a:b@h/"],
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        find_target(url)
