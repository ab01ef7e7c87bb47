"""All routers of the native API."""

from fastapi import APIRouter

from cartrita.surfaces.native import (
    agents,
    chat,
    conversations,
    docs_page,
    health,
    messages,
    models,
    runs,
    search,
    sessions,
)

ROUTERS: tuple[APIRouter, ...] = (
    chat.router,
    runs.router,
    conversations.router,
    messages.router,
    search.router,
    models.router,
    agents.router,
    sessions.router,
    health.router,
    docs_page.router,
)
