"""All routers of the native API."""

from fastapi import APIRouter

from cartrita.surfaces.native import (
    agents,
    chat,
    conversations,
    docs_page,
    health,
    login_sessions,
    messages,
    models,
    runs,
    search,
    tickets,
    usage,
)

ROUTERS: tuple[APIRouter, ...] = (
    chat.router,
    runs.router,
    conversations.router,
    messages.router,
    search.router,
    models.router,
    usage.router,
    agents.router,
    login_sessions.router,
    tickets.router,
    health.router,
    docs_page.router,
)
