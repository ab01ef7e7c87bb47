"""Keys and sign-in codes for a command, on the right database with the right secret."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

from cartrita.adapters.persistence.reachability import DatabaseUnreachable, require_reachable
from cartrita.adapters.persistence.schema import SchemaTooNew, upgrade
from cartrita.adapters.postgres import Endpoint
from cartrita.application.keys import Keys
from cartrita.application.sessions import Sessions
from cartrita.assembly.access import access, database_at
from cartrita.cli.database import open_database
from cartrita.cli.errors import CommandError
from cartrita.cli.instance_files import open_instance_files
from cartrita.domain.errors import CartritaError
from cartrita.settings import Settings


class Access(NamedTuple):
    """The use cases of who may come in."""

    keys: Keys
    sessions: Sessions


@asynccontextmanager
async def open_access(settings: Settings) -> AsyncGenerator[Access]:
    """Raises CommandError, PostgresError."""
    files = open_instance_files(settings)
    with open_database(settings) as endpoint, reporting_errors():
        await migrate(settings, endpoint)
        async with database_at(settings, endpoint.dsn()) as database:
            yield Access(*access(database, files.secret, settings))


async def migrate(settings: Settings, endpoint: Endpoint) -> None:
    """Bring the schema up to date. Raises DatabaseUnreachable, SchemaTooNew."""
    if settings.database.url is not None:
        await require_reachable(endpoint.dsn(), settings.database.connect_timeout_s)
    await upgrade(endpoint.sqlalchemy_url())


@contextmanager
def reporting_errors() -> Generator[None]:
    """What went wrong becomes the sentence that the command ends with."""
    try:
        yield
    except (CartritaError, DatabaseUnreachable, SchemaTooNew) as error:
        raise CommandError(str(error)) from error
