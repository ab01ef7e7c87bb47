"""Requests are counted by address, by user, by key, and by what they ask for."""

import re
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.requests import HTTPConnection
from tests.backend.surfaces.serving import connected, serving
from tests.laws.tree import ROOT

from cartrita.app import hot_paths, require_known_limits
from cartrita.domain.errors import CartritaError, RateLimited
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Scopes
from cartrita.domain.uncounted import Uncounted
from cartrita.kit.operator_error import OperatorError
from cartrita.surfaces import error_formats
from cartrita.surfaces.inbound_limits import InboundLimits
from cartrita.surfaces.inbound_rates import DEFAULTS, InboundRate, names_of, over_defaults
from cartrita.surfaces.middleware import RequestContext
from cartrita.surfaces.rate_limit_fields import rate_limit_fields
from cartrita.surfaces.route_limits import RouteLimits, route_limits_of
from cartrita.surfaces.services import SurfaceConfig

ME = Principal("me", "key_1")
OTHER = Principal("other", "key_2")


def limits_of(*rates: InboundRate) -> InboundLimits:
    return InboundLimits(rates, hot_paths(SurfaceConfig()))


def scope_of(path: str) -> dict[str, Any]:
    return {"type": "http", "method": "POST", "path": path, "state": {}, "headers": []}


@pytest.mark.parametrize(
    ("path", "operation", "groups", "names"),
    [
        ("/api/chat", "post_chat", ["chat"], {"principal", "native", "post_chat", "chat"}),
        ("/", "get_page", ["console"], {"principal", "native", "get_page", "console"}),
        ("/v1/models", "m", ["models"], {"principal", "openai", "m", "models"}),
        ("/v1/messages", "a", [], {"principal", "anthropic", "a"}),
        ("/v1/messages/count_tokens", "c", [], {"principal", "anthropic", "c"}),
    ],
)
def test_what_a_request_is_counted_in(
    path: str, operation: str, groups: list[str], names: set[str]
) -> None:
    assert names_of(path, operation, groups) == names


def test_defaults_are_replaced_by_name() -> None:
    mine = (InboundRate("failed", 5, 1), InboundRate("chat", 7, 60))
    assert {*over_defaults(mine)} == {*DEFAULTS[1:], *mine}
    assert over_defaults(()) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("principal", "/v1/chat/completions"),
        ("openai", "/v1/responses"),
        ("anthropic", "/v1/messages"),
        ("create_embedding", "/v1/embeddings"),
    ],
)
def test_hot_paths(name: str, path: str) -> None:
    limits = limits_of(InboundRate(name, 2, 60))
    for _ in range(2):
        limits.count_hot(scope_of(path), ME)
    scope = scope_of(path)
    with pytest.raises(RateLimited) as told:
        limits.count_hot(scope, ME)
    assert told.value.details == {"limit": name}
    assert rate_limit_fields(scope) == [
        (b"ratelimit-policy", f'"{name}";q=2;w=60'.encode()),
        (b"ratelimit", f'"{name}";r=0;t=60'.encode()),
    ]
    limits.count_hot(scope_of(path), OTHER)


def test_a_hot_path_that_is_not_limited() -> None:
    limits = limits_of(*DEFAULTS)
    scope = scope_of("/v1/chat/completions")
    limits.count_hot(scope, ME)
    assert rate_limit_fields(scope) == []


def test_a_key_with_a_limit_of_its_own() -> None:
    limits = limits_of()
    scoped = Principal("me", "key_1", scopes=Scopes(requests_per_minute=1))
    scope = scope_of("/api/chat")
    limits.count_key(scope, scoped)
    assert rate_limit_fields(scope)[0] == (b"ratelimit-policy", b'"key";q=1;w=60')
    with pytest.raises(RateLimited):
        limits.count_key(scope_of("/api/chat"), scoped)
    limits.count_key(scope_of("/api/chat"), ME)
    limits.count_key(scope_of("/x"), Principal("me", "key_3", scopes=Scopes(requests_per_minute=1)))


def test_failures_without_a_limit_are_not_counted() -> None:
    limits = limits_of()
    connection = HTTPConnection({**scope_of("/x"), "client": None})
    limits.require_few_failures(connection)
    assert not limits.failing(connection)


def application(*rates: InboundRate) -> FastAPI:
    async def user(request: Request) -> None:
        await route_limits_of(request).count_user(request, request.headers["x-user"])

    async def anybody(request: Request) -> None:
        await route_limits_of(request).count_anonymous(request)

    async def answer() -> dict[str, bool]:
        return {"answered": True}

    inner = APIRouter(prefix="/api/search", tags=["search"])
    inner.get("", name="search", dependencies=[Depends(user)])(answer)
    inner.get("/deep", name="deep", dependencies=[Depends(user)])(answer)
    outer = APIRouter()
    outer.include_router(inner)
    outer.get("/page", name="page", dependencies=[Depends(anybody)])(answer)
    app = FastAPI(exception_handlers={CartritaError: error_formats.respond})
    app.add_middleware(RequestContext)
    app.include_router(outer)
    app.state.route_limits = RouteLimits(limits_of(*rates))
    return app


async def test_routes_of_included_routers() -> None:
    rates = (InboundRate("search", 3, 60), InboundRate("deep", 1, 3600))
    async with serving(application(*rates)) as port, connected(port) as client:

        async def ask(path: str, user: str = "me") -> tuple[int, dict[str, str]]:
            client.request("GET", path, x_user=user)
            status, headers, _ = await client.body()
            return status, headers

        status, headers = await ask("/api/search/deep")
        assert status == 200
        told = headers["ratelimit-policy"]
        assert sorted(told.split(", ")) == ['"deep";q=1;w=3600', '"search";q=3;w=60']
        status, headers = await ask("/api/search/deep")
        assert (status, headers["ratelimit"]) == (429, '"deep";r=0;t=3600')
        assert headers["retry-after"] == "3600"
        assert "x-ratelimit-limit" not in headers
        assert [(await ask("/api/search"))[0] for _ in range(2)] == [200, 429]
        assert (await ask("/api/search", "other"))[0] == 200


async def test_anonymous_callers_of_routes_for_everybody() -> None:
    async with (
        serving(application(InboundRate("anonymous", 2, 60))) as port,
        connected(port) as client,
    ):
        statuses: list[int] = []
        for _ in range(3):
            client.request("GET", "/page")
            statuses.append((await client.body())[0])
        client.request("GET", "/api/search", x_user="me")
        statuses.append((await client.body())[0])
    assert statuses == [200, 200, 429, 200]


async def test_without_limits_nothing_is_counted() -> None:
    async with serving(application()) as port, connected(port) as client:
        client.request("GET", "/api/search", x_user="me")
        status, headers, _ = await client.body()
    assert status == 200
    assert "ratelimit" not in headers


async def test_slowapi_reads_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENABLED", "HEADERS_ENABLED", "SWALLOW_ERRORS", "DEFAULT"):
        monkeypatch.setenv(f"RATELIMIT_{name}", "false" if name == "ENABLED" else "1/day")
    app = application(InboundRate("anonymous", 1, 60))
    async with serving(app) as port, connected(port) as client:
        client.request("GET", "/page")
        assert "x-ratelimit-limit" not in (await client.body())[1]
        client.request("GET", "/page")
        assert (await client.body())[0] == 429


def test_names_of_limits_that_nothing_has() -> None:
    for name in ("failed", "anonymous", "principal", "native", "chat", "post_chat", "openai"):
        require_known_limits(SurfaceConfig(inbound_rates=(InboundRate(name, 1, 1),)))
    require_known_limits(SurfaceConfig(inbound_rates=(InboundRate("create_embedding", 1, 1),)))
    with pytest.raises(OperatorError, match="chatt"):
        require_known_limits(SurfaceConfig(inbound_rates=(InboundRate("chatt", 1, 1),)))


def test_defaults_are_documented() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    table = re.findall(r"(?m)^\| `([a-z]+)` \| ([0-9,]+) in ([0-9]+) seconds \|", page)
    told = [InboundRate(name, int(n.replace(",", "")), int(s)) for name, n, s in table]
    assert told == list(DEFAULTS)


class Refused(Uncounted):
    """Keeps the names of the limits that requests were beyond."""

    def __init__(self) -> None:
        self.limits: list[str] = []

    def refused(self, limit: str) -> None:
        self.limits.append(limit)


def test_each_request_beyond_a_limit_is_counted() -> None:
    counts = Refused()
    rates = (InboundRate("openai", 1, 60), InboundRate("native", 1, 60))
    limits = InboundLimits(rates, hot_paths(SurfaceConfig()), counts)
    scope = scope_of("/v1/chat/completions")
    limits.count_hot(scope, ME)
    for _ in range(2):
        with pytest.raises(RateLimited):
            limits.count_hot(scope, ME)
    limits.count_frame(ME)
    with pytest.raises(RateLimited):
        limits.count_frame(ME)
    assert counts.limits == ["openai", "openai", "native"]
