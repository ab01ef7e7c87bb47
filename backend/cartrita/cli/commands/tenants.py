"""`cartrita tenants create | list | disable | enable`."""

import argparse
import asyncio

from cartrita.application.accounts.tenants import Tenants
from cartrita.cli.authentication import open_authentication
from cartrita.domain.accounts import AccountChanges
from cartrita.domain.audit import COMMAND_LINE
from cartrita.settings import Settings

_PAGE = 1000


def run(settings: Settings, given: argparse.Namespace) -> None:
    asyncio.run(_run(settings, given))


async def _run(settings: Settings, given: argparse.Namespace) -> None:
    async with open_authentication(settings) as authentication:
        tenants = authentication.tenants
        match given.verb:
            case "create":
                tenant = await tenants.create(COMMAND_LINE, given.id)
                print(f"Tenant {tenant.id} is made.")
            case "list":
                await _list(tenants)
            case verb:
                changes = AccountChanges(disabled=verb == "disable")
                await tenants.change(COMMAND_LINE, given.id, changes)
                print(f"Tenant {given.id} is {verb}d.")


async def _list(tenants: Tenants) -> None:
    cursor: str | None = None
    while True:
        page = await tenants.page(COMMAND_LINE.principal, cursor, _PAGE)
        for tenant in page.items:
            state = "disabled" if tenant.disabled_at else "enabled"
            print(f"{tenant.id}  {state}  {tenant.name}")
        cursor = page.next_cursor
        if cursor is None:
            return
