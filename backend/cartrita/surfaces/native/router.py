"""All routers of the native API."""

from fastapi import APIRouter

from cartrita.surfaces.native import (
    admin,
    admin_budgets,
    admin_keys,
    agents,
    chat,
    code,
    conversations,
    credentials,
    docs_page,
    health,
    keys,
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
    keys.me_router,
    keys.router,
    credentials.router,
    admin_keys.router,
    admin_budgets.router,
    admin.router,
    health.router,
    docs_page.router,
)
