"""The application: every surface on one FastAPI app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI

from cartrita.surfaces.services import Opening, Rules, Services


class State(TypedDict):
    """What the lifespan hands to every request."""

    services: Services


def create_app(rules: Rules, opening: Opening | None = None) -> FastAPI:
    """Build the application; nothing is opened before its lifespan begins.

    Without `opening` it can be described (`openapi_document`), not served.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        if opening is None:
            raise RuntimeError("This application was made to be described, not to be served.")
        async with opening() as services:
            yield State(services=services)

    return FastAPI(telemetry={"tracing": False}, lifespan=lifespan)
