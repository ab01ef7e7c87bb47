"""The use cases of API keys and sign-in codes, opened for a command."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from cartrita.application.api_keys import ApiKeys
from cartrita.application.sessions import Sessions
from cartrita.assembly.authentication import create_authentication
from cartrita.assembly.database import open_connection_pool
from cartrita.cli.database import migrate_database, open_database
from cartrita.cli.instance_files import open_instance_files
from cartrita.settings import Settings


class Authentication(NamedTuple):
    """The use cases that authenticate callers."""

    keys: ApiKeys
    sessions: Sessions


@asynccontextmanager
async def open_authentication(settings: Settings) -> AsyncGenerator[Authentication]:
    """Open the database, migrate it and connect to it. Raises OperatorError."""
    files = open_instance_files(settings)
    with open_database(settings) as endpoint:
        await migrate_database(settings, endpoint)
        async with open_connection_pool(settings, endpoint.dsn()) as database:
            yield Authentication(*create_authentication(database, files.secret, settings))
