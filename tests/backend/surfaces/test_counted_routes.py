"""Requests are counted under surfaces and templates, never under paths as they came."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from tests.backend.surfaces.serving import Client, connected, serving
from tests.backend.surfaces.test_dispatcher import TABLE

from cartrita.app import create_app, hot_paths, routes
from cartrita.surfaces.counted_routes import route_of
from cartrita.surfaces.dispatcher import Dispatcher
from cartrita.surfaces.error_formats import send_error
from cartrita.surfaces.hot_paths import HotPath, HotPaths, hot_path_table
from cartrita.surfaces.middleware import ErrorBoundary, RequestContext
from cartrita.surfaces.services import SurfaceConfig
from cartrita.surfaces.surface_names import surface_of


class Counted:
    """What was counted, without the times."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str, str, int | None]] = []
        self.limits: list[str] = []

    def answered(
        self, surface: str, method: str, route: str, status: int | None, seconds: float
    ) -> None:
        assert 0 <= seconds < 60
        self.answers.append((surface, method, route, status))

    def refused(self, limit: str) -> None:
        self.limits.append(limit)

    def socket_opened(self, path: str) -> None: ...

    def socket_closed(self, path: str, code: int) -> None: ...


def test_every_route_is_of_a_surface() -> None:
    app = create_app(SurfaceConfig())
    found = {surface_of(path) for _, path, _ in routes(app)}
    assert found == {"native", "openai", "anthropic", "a2a", "mcp", "console"}


def test_a_request_that_found_no_route() -> None:
    assert route_of({"type": "http"}) == "unmatched"


async def answered(counted: Counted, *requests: tuple[str, str]) -> None:
    """Have requests answered by an application with a route, its hot paths and a dispatcher."""
    app = FastAPI(
        redirect_slashes=False,
        middleware=[
            Middleware(RequestContext, counts=counted),
            Middleware(ErrorBoundary, respond=send_error),
            Middleware(HotPaths, table=TABLE),
        ],
    )

    @app.get("/api/runs/{run_id}")
    async def get_run(run_id: str) -> dict[str, str]:
        return {"id": run_id}

    config = SurfaceConfig(v1_body_max_bytes=100)
    server: Any = Dispatcher(app, TABLE, config, send_error, counts=counted)
    async with serving(server) as port, connected(port) as client:
        for method, target in requests:
            await ask(client, method, target)


async def ask(client: Client, method: str, target: str) -> None:
    client.request(method, target, b"hello")
    await client.body()


async def test_routes_are_counted_by_their_templates() -> None:
    counted = Counted()
    await answered(counted, ("GET", "/api/runs/1"), ("GET", "/api/runs/2"), ("GET", "/nothing/3"))
    assert counted.answers == [
        ("native", "GET", "/api/runs/{run_id}", 200),
        ("native", "GET", "/api/runs/{run_id}", 200),
        ("native", "GET", "unmatched", 404),
    ]


async def test_hot_paths_are_counted_on_both_ways_to_them() -> None:
    counted = Counted()
    await answered(
        counted,
        ("POST", "/v1/echo"),
        ("POST", "/v1/echo?plain=no"),
        ("POST", "/v1/refusing"),
        ("POST", "/v1/failing"),
    )
    assert counted.answers == [
        ("openai", "POST", "/v1/echo", 200),
        ("openai", "POST", "/v1/echo", 200),
        ("openai", "POST", "/v1/refusing", 409),
        ("openai", "POST", "/v1/failing", 500),
    ]


def test_every_hot_path_has_a_path_to_be_counted_under() -> None:
    for hot in hot_paths(SurfaceConfig()).values():
        assert isinstance(hot, HotPath)
        assert route_of({"type": "http", "route": hot}) == hot.path
    assert hot_path_table() == {}
