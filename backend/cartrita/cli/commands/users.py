"""`cartrita users create | list | disable | enable`."""

import argparse
import asyncio

from cartrita.application.accounts.users import Users
from cartrita.cli.authentication import open_authentication
from cartrita.domain.accounts import AccountChanges, UserRole
from cartrita.domain.audit import COMMAND_LINE
from cartrita.settings import Settings

_PAGE = 1000


def run(settings: Settings, given: argparse.Namespace) -> None:
    asyncio.run(_run(settings, given))


async def _run(settings: Settings, given: argparse.Namespace) -> None:
    async with open_authentication(settings) as authentication:
        users = authentication.users
        match given.verb:
            case "create":
                role = UserRole.ADMIN if given.admin else UserRole.MEMBER
                user = await users.create(COMMAND_LINE, given.id, given.tenant, role=role)
                print(f"User {user.id} is {user.role} of tenant {user.tenant_id}.")
            case "list":
                await _list(users, given.tenant)
            case verb:
                changes = AccountChanges(disabled=verb == "disable")
                await users.change(COMMAND_LINE, given.id, changes)
                print(f"User {given.id} is {verb}d.")


async def _list(users: Users, tenant: str | None) -> None:
    cursor: str | None = None
    while True:
        page = await users.page(COMMAND_LINE.principal, tenant, cursor, _PAGE)
        for user in page.items:
            state = "disabled" if user.disabled_at else "enabled"
            print(f"{user.id}  {user.tenant_id}  {user.role}  {state}  {user.name}")
        cursor = page.next_cursor
        if cursor is None:
            return
