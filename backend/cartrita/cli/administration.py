"""Commands of the server's owner: the schema, keys, a sign-in link."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

from cartrita.adapters.persistence import schema
from cartrita.application.keys import Keys
from cartrita.application.sessions import Sessions
from cartrita.assembly.access import access, database_at, sqlalchemy_url
from cartrita.cli.home import open_home
from cartrita.cli.reach import reached
from cartrita.domain.errors import CartritaError
from cartrita.settings import Settings


class Refusal(Exception):
    """The command was not carried out; the text is a sentence."""


class _Access(NamedTuple):
    keys: Keys
    sessions: Sessions


async def migrate(settings: Settings) -> None:
    """Bring the schema up; the server does the same at each start."""
    with reached(settings) as endpoint, _refusing():
        await schema.upgrade(endpoint.sqlalchemy_url())
    print(f"The database is at schema {schema.head()}.")


async def login(settings: Settings) -> None:
    """Print a sign-in link."""
    async with _access(settings) as access_:
        local = await access_.keys.local()
        if local is None:
            raise Refusal("There is no key that works: make one with `cartrita keys create`.")
        code = await access_.sessions.issue_code(local)
    address = f"http://{settings.server.host}:{settings.server.port}"
    print(f"Sign in within ten minutes: {address}/#code={code.reveal()}")


async def create_key(settings: Settings, name: str, owner: str | None) -> None:
    """Print a new key, this once."""
    async with _access(settings) as access_:
        key, secret = await access_.keys.create(owner, name)
    print(f"Key {key.id} of owner {key.owner_id}, shown this once: {secret.reveal()}")


async def list_keys(settings: Settings) -> None:
    """Print the keys without their secrets."""
    async with _access(settings) as access_:
        for key in await access_.keys.list(None):
            ended = "revoked" if key.revoked_at else "active"
            made = f"{key.created_at:%Y-%m-%d %H:%M}"
            print(f"{key.id}  {key.owner_id}  {ended}  {made}  {key.name}")


async def revoke_key(settings: Settings, key_id: str) -> None:
    """End a key."""
    async with _access(settings) as access_:
        await access_.keys.revoke(key_id)
    print(f"Key {key_id} is revoked.")


@asynccontextmanager
async def _access(settings: Settings) -> AsyncGenerator[_Access]:
    """The use cases of access, on the right database with the right secret."""
    home = open_home(settings)
    with reached(settings) as endpoint, _refusing():
        await schema.upgrade(sqlalchemy_url(endpoint.dsn()))
        async with database_at(settings, endpoint.dsn()) as database:
            yield _Access(*access(database, home.secret, settings))


@contextmanager
def _refusing() -> Generator[None]:
    """What went wrong, as a sentence."""
    try:
        yield
    except (CartritaError, schema.SchemaTooNew) as error:
        raise Refusal(str(error)) from error
