"""The application: every surface on one FastAPI app."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.console import page
from cartrita.surfaces.intake import Intake
from cartrita.surfaces.middleware import LastResort, RequestContext
from cartrita.surfaces.native import contract, errors
from cartrita.surfaces.native.router import ROUTERS
from cartrita.surfaces.services import Opening, Rules, Services

_DESCRIPTION = (
    "An assistant backend that people own. Answers are runs: durable logs of events, which can be "
    "waited for, streamed, resumed after a cut, cancelled and continued."
)
_ASKED_WITH = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-API-Key",
    "X-Client-Version",
    "X-Request-ID",
)
_TOLD_WITH = (
    "Content-Disposition",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Cartrita-Receipts",
    "X-Request-ID",
)


class State(TypedDict):
    """What the lifespan hands to every request."""

    services: Services


def create_app(rules: Rules, opening: Opening | None = None) -> FastAPI:
    """Build the application; nothing is opened before its lifespan begins.

    Without `opening` it can be described (`openapi_document`), not served.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[State]:
        if opening is None:
            raise RuntimeError("This application was made to be described, not to be served.")
        async with opening() as services:
            yield State(services=services)

    app = FastAPI(
        title="Cartrita",
        version=rules.version,
        description=_DESCRIPTION,
        lifespan=lifespan,
        middleware=_middleware(rules),
        exception_handlers={
            CartritaError: errors.answer,
            RequestValidationError: errors.answer_invalid,
            HTTPException: errors.answer_unrouted,
        },
        generate_unique_id_function=lambda route: route.name,
        openapi_url=None,  # these three are routes of ours, because they need a key
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.rules = rules
    for router in (*ROUTERS, page.router):
        app.include_router(router)
    app.openapi = _document_of(app)
    return app


def openapi_document() -> dict[str, Any]:
    """openapi.json, without a database."""
    return create_app(Rules()).openapi()


def routes(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Every (method, path, name) that answers: FastAPI keeps routes as a tree."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            for method in sorted(context.methods or ()):
                yield method, context.path_format or "", context.name or ""


def _middleware(rules: Rules) -> list[Middleware]:
    inner = [
        Middleware(LastResort, rescue=errors.rescue),
        Middleware(
            Intake,
            max_bytes=rules.body_max_bytes,
            seconds=rules.body_timeout_s,
            max_url=rules.url_max_bytes,
        ),
    ]
    if not rules.cors_origins:
        return [Middleware(RequestContext), *inner]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=rules.cors_origins,
        allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
        allow_headers=_ASKED_WITH,
        expose_headers=_TOLD_WITH,
        allow_credentials=True,
    )
    return [Middleware(RequestContext), cors, *inner]


def _document_of(app: FastAPI) -> Callable[[], dict[str, Any]]:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            contract.complete(made, app.routes)
            app.openapi_schema = made
        return app.openapi_schema

    return document
