"""Keys and sign-in codes for a command, on the right database with the right secret."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

from cartrita.adapters.persistence.schema import SchemaTooNew, upgrade
from cartrita.application.keys import Keys
from cartrita.application.sessions import Sessions
from cartrita.assembly.access import access, database_at, sqlalchemy_url
from cartrita.cli.home import open_home
from cartrita.cli.reach import reached
from cartrita.cli.refusal import Refusal
from cartrita.domain.errors import CartritaError
from cartrita.settings import Settings


class Access(NamedTuple):
    """The use cases of who may come in."""

    keys: Keys
    sessions: Sessions


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Access]:
    """Raises Refusal, PostgresError."""
    home = open_home(settings)
    with reached(settings) as endpoint, refusing():
        await upgrade(sqlalchemy_url(endpoint.dsn()))
        async with database_at(settings, endpoint.dsn()) as database:
            yield Access(*access(database, home.secret, settings))


@contextmanager
def refusing() -> Generator[None]:
    """What went wrong, as a sentence."""
    try:
        yield
    except (CartritaError, SchemaTooNew) as error:
        raise Refusal(str(error)) from error
