"""`cartrita keys create | list | rotate | revoke`."""

import argparse
import asyncio
from datetime import timedelta

from cartrita.application.keys.scopes import parse_scopes
from cartrita.assembly.authentication import Authentication
from cartrita.cli.authentication import open_authentication
from cartrita.domain.api_keys import ApiKey, KeyFilter
from cartrita.domain.audit import COMMAND_LINE
from cartrita.kit import clock
from cartrita.settings import Settings


def run(settings: Settings, given: argparse.Namespace) -> None:
    asyncio.run(_run(settings, given))


async def _run(settings: Settings, given: argparse.Namespace) -> None:
    async with open_authentication(settings) as authentication:
        match given.verb:
            case "create":
                await _create(authentication, given)
            case "rotate":
                await _rotate(authentication, given)
            case "revoke":
                await authentication.api_keys.revoke(COMMAND_LINE, given.id)
                print(f"Key {given.id} is revoked.")
            case _:
                await _list(authentication, given.owner)


async def _create(authentication: Authentication, given: argparse.Namespace) -> None:
    user = await authentication.users.ensure(COMMAND_LINE, given.owner, given.tenant)
    key, secret = await authentication.api_keys.create(
        COMMAND_LINE,
        user.id,
        given.name,
        scopes=parse_scopes(given.scope),
        expires_at=None if given.days is None else clock.now() + timedelta(days=given.days),
    )
    print(f"Key {key.id} of owner {key.owner_id}, shown this once: {secret.reveal()}")


async def _rotate(authentication: Authentication, given: argparse.Namespace) -> None:
    overlap = None if given.overlap is None else timedelta(seconds=given.overlap)
    issued = authentication.api_keys
    key, secret = await issued.rotate(COMMAND_LINE, given.id, overlap=overlap)
    old = await issued.get(COMMAND_LINE.principal, given.id)
    print(f"Key {given.id} works until {old.retires_at:%Y-%m-%d %H:%M} UTC.")
    print(f"Its successor {key.id}, shown this once: {secret.reveal()}")


async def _list(authentication: Authentication, owner: str | None) -> None:
    for key in await authentication.api_keys.list(KeyFilter(owner_id=owner)):
        made = f"{key.created_at:%Y-%m-%d %H:%M}"
        print(f"{key.id}  {key.owner_id}  {_state(key)}  {made}  {key.name}")


def _state(key: ApiKey) -> str:
    if key.active(clock.now()):
        return "active" if key.retires_at is None else f"retires {key.retires_at:%Y-%m-%d %H:%M}"
    if key.revoked_at:
        return "revoked"
    return "retired" if key.retires_at else "expired"
