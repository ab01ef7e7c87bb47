"""`cartrita keys create | list | revoke`."""

import argparse
import asyncio

from cartrita.application.api_keys import ApiKeys
from cartrita.cli.authentication import open_authentication
from cartrita.settings import Settings


def run(settings: Settings, given: argparse.Namespace) -> None:
    asyncio.run(_run(settings, given))


async def _run(settings: Settings, given: argparse.Namespace) -> None:
    async with open_authentication(settings) as authentication:
        match given.verb:
            case "create":
                await _create(authentication.api_keys, given.name, given.owner)
            case "revoke":
                await authentication.api_keys.revoke(given.id)
                print(f"Key {given.id} is revoked.")
            case _:
                await _list(authentication.api_keys)


async def _create(keys: ApiKeys, name: str, owner: str | None) -> None:
    key, secret = await keys.create(owner, name)
    print(f"Key {key.id} of owner {key.owner_id}, shown this once: {secret.reveal()}")


async def _list(keys: ApiKeys) -> None:
    for key in await keys.list(None):
        ended = "revoked" if key.revoked_at else "active"
        print(f"{key.id}  {key.owner_id}  {ended}  {key.created_at:%Y-%m-%d %H:%M}  {key.name}")
