"""Keys and sign-in codes for a command, on the right database with the right secret."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

from cartrita.adapters.persistence.schema import SchemaTooNew, upgrade
from cartrita.application.keys import Keys
from cartrita.application.sessions import Sessions
from cartrita.assembly.access import access, database_at, sqlalchemy_url
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
async def opened(settings: Settings) -> AsyncGenerator[Access]:
    """Raises CommandError, PostgresError."""
    instance = open_instance_files(settings)
    with open_database(settings) as endpoint, refusing():
        await upgrade(sqlalchemy_url(endpoint.dsn()))
        async with database_at(settings, endpoint.dsn()) as database:
            yield Access(*access(database, instance.secret, settings))


@contextmanager
def refusing() -> Generator[None]:
    """What went wrong, as a sentence."""
    try:
        yield
    except (CartritaError, SchemaTooNew) as error:
        raise CommandError(str(error)) from error
