"""Endpoints that only older frontends ask: who is signed in, and the frontend's own settings."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from cartrita.application.keys.brought_keys import is_brought
from cartrita.domain.json import JsonObject
from cartrita.domain.principals import Principal
from cartrita.kit import clock
from cartrita.surfaces.dependencies import STORED, AppServices, CurrentPrincipal
from cartrita.surfaces.older_frontends.settings_bodies import read_settings
from cartrita.surfaces.older_frontends.stored_settings import store_settings, stored_settings
from cartrita.surfaces.services import Services

router = APIRouter(prefix="/api", tags=["older frontends"], include_in_schema=False)

_THEMES: Final = ("light", "dark", "system")
_NOT_OF_ADDRESSES: Final = re.compile(r"[^A-Za-z0-9_+-]+")


class Preferences(BaseModel):
    """What a frontend looks like, by its stored settings where they say it."""

    theme: Literal["light", "dark", "system"] = "system"
    language: str = "en"
    notifications: bool = False
    autoSave: bool = True  # noqa: N815 - the name on the wire


class Account(BaseModel):
    """Whoever calls, as the original backend described its users."""

    id: str
    email: str
    name: str
    role: Literal["admin", "user"]
    preferences: Preferences
    createdAt: datetime  # noqa: N815 - the name on the wire
    updatedAt: datetime  # noqa: N815 - the name on the wire
    isActive: bool = True  # noqa: N815 - the name on the wire


@router.get("/auth/me", name="get_account", dependencies=STORED)
async def get_account(principal: CurrentPrincipal, services: AppServices) -> Account:
    """The owner of the key. Nobody has an address here, so that `email` is one that cannot be."""
    name, made = await _name(services, principal)
    settings = await stored_settings(services.conversations, principal)
    return Account(
        id=principal.owner_id,
        email=_no_address(principal.owner_id),
        name=name,
        role="admin" if principal.admin else "user",
        preferences=_preferences(settings),
        createdAt=made,
        updatedAt=made,
    )


@router.get("/settings", name="get_settings", dependencies=STORED)
async def get_settings(principal: CurrentPrincipal, services: AppServices) -> dict[str, Any]:
    """What the frontend stored, over what is known without."""
    settings = await stored_settings(services.conversations, principal)
    return await _with_defaults(services, principal, settings)


@router.put("/settings", name="change_settings", dependencies=STORED)
async def change_settings(
    principal: CurrentPrincipal,
    changed: Annotated[JsonObject, Depends(read_settings)],
    services: AppServices,
) -> dict[str, Any]:
    """Store these fields; others stay as they are."""
    settings = await store_settings(services.conversations, principal, changed)
    return await _with_defaults(services, principal, settings)


async def _with_defaults(
    services: Services, principal: Principal, settings: JsonObject
) -> dict[str, Any]:
    name, _ = await _name(services, principal)
    known = {"name": name, "email": _no_address(principal.owner_id), "theme": "system"}
    return {**known, **settings}


async def _name(services: Services, principal: Principal) -> tuple[str, datetime]:
    """The name of a user, and since when there is one; a brought key's owner has neither."""
    if is_brought(principal.owner_id):
        return principal.owner_id, clock.now()
    user = await services.users.get(principal, principal.owner_id)
    return user.name or user.id, user.created_at


def _no_address(owner_id: str) -> str:
    """An address at a domain that never exists (RFC 2606), for readers that check its form."""
    return f"{_NOT_OF_ADDRESSES.sub('-', owner_id).strip('-') or 'owner'}@cartrita.invalid"


def _preferences(settings: JsonObject) -> Preferences:
    theme, language = settings.get("theme"), settings.get("language")
    told: dict[str, Any] = {}
    if theme in _THEMES:
        told["theme"] = theme
    if isinstance(language, str) and language:
        told["language"] = language
    return Preferences(**told)
