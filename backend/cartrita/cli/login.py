"""`cartrita login`: print a new sign-in link for the running server."""

import argparse
import asyncio

from cartrita.cli.access import opened
from cartrita.cli.errors import CommandError
from cartrita.settings import Settings


def run(settings: Settings, _: argparse.Namespace) -> None:
    asyncio.run(_login(settings))


async def _login(settings: Settings) -> None:
    async with opened(settings) as access:
        local = await access.keys.local()
        if local is None:
            raise CommandError("There is no key that works: make one with `cartrita keys create`.")
        code = await access.sessions.issue_code(local)
    address = f"http://{settings.server.host}:{settings.server.port}"
    print(f"Sign in within ten minutes: {address}/#code={code.reveal()}")
