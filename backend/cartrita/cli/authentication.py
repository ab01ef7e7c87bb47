"""The use cases of API keys and sign-in codes, opened for a command."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cartrita.assembly.authentication import Authentication, create_authentication
from cartrita.assembly.database import open_connection_pool
from cartrita.cli.database import migrate_database, open_database
from cartrita.cli.instance_files import open_instance_files
from cartrita.settings import Settings


@asynccontextmanager
async def open_authentication(settings: Settings) -> AsyncGenerator[Authentication]:
    """Open the database, migrate it and connect to it. Raises OperatorError."""
    files = open_instance_files(settings)
    with open_database(settings) as endpoint:
        await migrate_database(settings, endpoint)
        async with open_connection_pool(settings, endpoint.dsn()) as database:
            yield create_authentication(database, files.secret, settings)
