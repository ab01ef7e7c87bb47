"""`cartrita login`: print a new sign-in link for the running server."""

import argparse
import asyncio

from cartrita.cli import bound_address
from cartrita.cli.access import open_access
from cartrita.cli.errors import CommandError
from cartrita.settings import Settings


def run(settings: Settings, _: argparse.Namespace) -> None:
    asyncio.run(_login(settings))


async def _login(settings: Settings) -> None:
    async with open_access(settings) as access:
        local = await access.keys.local()
        if local is None:
            raise CommandError("There is no key that works: make one with `cartrita keys create`.")
        code = await access.sessions.issue_code(local)
    configured = bound_address.url(settings.server.host, settings.server.port)
    address = bound_address.recorded(settings.data_dir) or configured
    print(f"Sign in within ten minutes: {address}/#code={code.reveal()}")
