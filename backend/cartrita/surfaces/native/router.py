"""All routes of the native surface."""

from fastapi import APIRouter

from cartrita.surfaces.native import (
    agents,
    chat,
    conversations,
    docs,
    messages,
    models,
    ops,
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
    ops.router,
    docs.router,
)
