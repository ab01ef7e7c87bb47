"""The FastAPI application with all surfaces."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.metrics import RequestCounts
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.kit.operator_error import OperatorError
from cartrita.surfaces import error_formats, inbound_rates, v1_documents
from cartrita.surfaces.a2a import endpoint as a2a
from cartrita.surfaces.anthropic import hot_paths as anthropic_hot_paths
from cartrita.surfaces.console import page
from cartrita.surfaces.cross_origin import cross_origin
from cartrita.surfaces.dispatcher import Dispatcher
from cartrita.surfaces.hot_paths import HotPaths, HotPathTable, hot_path_table
from cartrita.surfaces.inbound_limits import InboundLimits
from cartrita.surfaces.mcp import endpoint as mcp
from cartrita.surfaces.middleware import ErrorBoundary, RequestContext
from cartrita.surfaces.native import openapi
from cartrita.surfaces.native.asyncapi import asyncapi_document
from cartrita.surfaces.native.chat_socket.chat_socket import CHAT
from cartrita.surfaces.native.desktop_socket import DESKTOP_SOCKETS, serve_desktop
from cartrita.surfaces.native.router import ROUTERS
from cartrita.surfaces.native.voice_socket.voice_socket import VOICE
from cartrita.surfaces.native.websocket.endpoint import endpoint
from cartrita.surfaces.native.websocket.socket_kind import SocketKind
from cartrita.surfaces.older_frontends import accounts
from cartrita.surfaces.older_frontends.layer import OlderFrontends
from cartrita.surfaces.openai import (
    audio_speech,
    audio_transcriptions,
    audio_translations,
    conversations,
    files,
    stored_responses,
)
from cartrita.surfaces.openai import hot_paths as openai_hot_paths
from cartrita.surfaces.request_limits import BodyLimit, RequestLimits
from cartrita.surfaces.route_limits import RouteLimits
from cartrita.surfaces.services import Services, ServicesLifespan, SurfaceConfig
from cartrita.surfaces.v1 import model_lists

_DESCRIPTION = (
    "An assistant backend that people own. Answers are runs: durable logs of events, which can be "
    "waited for, streamed, resumed after a cut, cancelled and continued."
)


_FORM_BYTES = 1 << 20
"""What a form may have beside the bytes of its files."""
_HOT_PATHS: HotPathTable = hot_path_table(openai_hot_paths.HOT_PATHS, anthropic_hot_paths.HOT_PATHS)
SOCKETS: tuple[SocketKind, ...] = (CHAT, VOICE)
_V1_ROUTERS = (
    model_lists.router,
    stored_responses.router,
    conversations.router,
    files.router,
    audio_transcriptions.router,
    audio_translations.router,
    audio_speech.router,
)
_PROTOCOLS = (a2a.router, mcp.router)


class State(TypedDict):
    """The lifespan state, available to every request."""

    services: Services


def create_app(
    config: SurfaceConfig,
    services_lifespan: ServicesLifespan | None = None,
    counts: RequestCounts = UNCOUNTED,
) -> FastAPI:
    """Create the application. Its services are opened when its lifespan starts.

    Without `services_lifespan` it can be described (`openapi_document`), not served.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[State]:
        if services_lifespan is None:
            raise RuntimeError("This application was made to be described, not to be served.")
        async with services_lifespan() as services:
            yield State(services=services)

    app = FastAPI(
        title="Cartrita",
        version=config.version,
        description=_DESCRIPTION,
        lifespan=lifespan,
        middleware=_middleware(config, counts),
        exception_handlers={
            CartritaError: error_formats.respond,
            RequestValidationError: error_formats.respond,
            HTTPException: error_formats.respond,
        },
        generate_unique_id_function=lambda route: route.name,
        openapi_url=None,  # served by native/docs_page.py, because they need a credential
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.config = config
    app.state.counts = counts
    app.state.inbound_limits = InboundLimits(config.inbound_rates, hot_paths(config), counts)
    app.state.route_limits = RouteLimits(app.state.inbound_limits)
    for router in (
        *ROUTERS,
        *(_V1_ROUTERS if config.v1 else ()),
        *((accounts.router,) if config.older_frontends else ()),
        a2a.router,
        mcp.router,
        page.router,
    ):
        app.include_router(router)
    app.openapi = _document_function(app)
    return app


def create_server(
    config: SurfaceConfig,
    services_lifespan: ServicesLifespan,
    counts: RequestCounts = UNCOUNTED,
) -> ASGIApp:
    """Create what is served: the application behind the dispatcher of its hot paths."""
    app = create_app(config, services_lifespan, counts)
    sockets = {kind.path: endpoint(kind) for kind in SOCKETS} | {DESKTOP_SOCKETS: serve_desktop}
    table = hot_paths(config)
    server = Dispatcher(app, table, config, error_formats.send_error, sockets, counts)
    if not config.older_frontends:
        return server
    return OlderFrontends(server, most_bytes=config.body_max_bytes)


def hot_paths(config: SurfaceConfig) -> HotPathTable:
    """The endpoints that are answered before FastAPI sees them."""
    return _HOT_PATHS if config.v1 else hot_path_table()


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document; needs no database."""
    return create_app(SurfaceConfig()).openapi()


def websocket_document() -> dict[str, Any]:
    """The AsyncAPI document of the WebSockets; needs no database."""
    return asyncapi_document(SurfaceConfig().version)


def routes(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Every (method, path, name) of the application's tree of routes, and of the hot paths."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            for method in sorted(context.methods or ()):
                yield method, context.path_format or "", context.name or ""
    for hot in hot_paths(app.state.config).values():
        yield hot.method, hot.path, hot.name


def require_known_limits(config: SurfaceConfig) -> None:
    """Raise OperatorError for a limit of requests that nothing would be counted in."""
    app = create_app(config)
    known = set(inbound_rates.GENERAL)
    for context in iter_route_contexts(app.routes):
        if isinstance(route := context.original_route, APIRoute):
            known |= {route.name, *map(str, route.tags)}
    for hot in hot_paths(config).values():
        known |= {hot.name, hot.tag}
    for rate in config.inbound_rates:
        if rate.name not in known:
            raise OperatorError(
                f"CARTRITA_INBOUND_LIMITS limits {rate.name}, which nothing here is called: use "
                f"{', '.join(sorted(inbound_rates.GENERAL))}, or an operationId or a tag of "
                "openapi.json."
            )


def _middleware(config: SurfaceConfig, counts: RequestCounts) -> list[Middleware]:
    inner = [
        Middleware(
            RequestLimits,
            respond=error_formats.send_error,
            max_bytes=config.body_max_bytes,
            v1_max_bytes=config.v1_body_max_bytes,
            seconds=config.body_timeout_s,
            max_url=config.url_max_bytes,
            uploads=_upload_limits(config),
        ),
        Middleware(ErrorBoundary, respond=error_formats.send_error),
        Middleware(HotPaths, table=hot_paths(config)),
    ]
    return [Middleware(RequestContext, counts=counts), *cross_origin(config), *inner]


def _upload_limits(config: SurfaceConfig) -> dict[str, BodyLimit]:
    one = BodyLimit(config.upload_max_bytes + _FORM_BYTES, config.upload_timeout_s)
    recording = BodyLimit(config.recording_max_bytes + _FORM_BYTES, config.upload_timeout_s)
    several = config.upload_max_bytes * config.uploads_max + _FORM_BYTES
    return {
        "/api/upload": one,
        "/v1/files": one,
        "/v1/audio/transcriptions": recording,
        "/v1/audio/translations": recording,
        "/api/chat/voice": recording,
        "/api/voice/process": recording,
        "/api/voice/transcribe": recording,
        "/api/upload/multiple": BodyLimit(several, config.upload_timeout_s),
    }


def _document_function(app: FastAPI) -> Callable[[], dict[str, Any]]:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            v1_documents.complete_document(made, app.routes, hot_paths(app.state.config))
            app.openapi_schema = openapi.completed(made, app.routes)
        return app.openapi_schema

    return document
