"""All routers of the native API."""

from fastapi import APIRouter

from cartrita.surfaces.native import (
    agents,
    chat,
    code,
    conversations,
    docs_page,
    health,
    login_sessions,
    messages,
    models,
    providers,
    runs,
    search,
    tickets,
    usage,
)

ROUTERS: tuple[APIRouter, ...] = (
    chat.router,
    chat.huggingface_router,
    runs.router,
    conversations.router,
    messages.router,
    search.router,
    models.router,
    providers.router,
    code.router,
    usage.router,
    agents.router,
    login_sessions.router,
    tickets.router,
    health.router,
    docs_page.router,
)
