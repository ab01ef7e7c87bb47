"""`cartrita login`: print a new sign-in link for the running server."""

import argparse
import asyncio

from cartrita.cli.authentication import open_authentication
from cartrita.cli.errors import CommandError
from cartrita.cli.server_address import browser_url, read_address
from cartrita.settings import Settings


def run(settings: Settings, _: argparse.Namespace) -> None:
    asyncio.run(_login(settings))


async def _login(settings: Settings) -> None:
    async with open_authentication(settings) as authentication:
        local = await authentication.own_keys.local_principal()
        if local is None:
            raise CommandError("There is no key that works: make one with `cartrita keys create`.")
        code = await authentication.tickets.issue_sign_in_code(local)
    configured = browser_url(settings.server.host, settings.server.port)
    address = read_address(settings.data_dir) or configured
    print(f"Sign in within ten minutes: {address}/#code={code.reveal()}")
