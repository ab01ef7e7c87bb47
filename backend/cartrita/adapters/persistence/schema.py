"""Schema migrations, run at start under an advisory lock."""

from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cartrita.kit.operator_error import OperatorError

_LOCK = 0x63617274  # "cart": one migration at a time on one database
_INSUFFICIENT_PRIVILEGE = "42501"


class SchemaTooNew(OperatorError):
    """The database was migrated by a newer Cartrita than this one."""

    def __init__(self, revision: str, head: str) -> None:
        super().__init__(
            f"The database is at schema {revision}, which this version of Cartrita (schema {head})"
            " does not know: start the newer version, or restore a backup made before the upgrade."
        )


class SchemaForbidden(OperatorError):
    """The database role may not create what a migration creates."""

    def __init__(self) -> None:
        super().__init__(
            "The role of CARTRITA_DATABASE_URL may not create tables: grant it CREATE on the "
            "database and on its schema `public`, or run `cartrita migrate` as a role that may."
        )


def folder() -> Path:
    """Where the migrations are: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parents[2]
    packaged = package / "_migrations"
    return packaged if packaged.is_dir() else package.parents[1] / "migrations"


def head() -> str:
    """The newest revision; a migration's file name begins with its number."""
    return max(path.name.split("_")[0] for path in (folder() / "versions").glob("[0-9]*.py"))


async def upgrade(dsn: str) -> None:
    """Bring the database at `dsn` (`postgresql://`) to this code's schema.

    Raises SchemaTooNew, SchemaForbidden. Safe to run from many processes at once.
    """
    url = make_url(dsn).set(drivername="postgresql+asyncpg")  # the default would be psycopg
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as lock:
            await lock.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            await lock.commit()
            async with engine.connect() as connection:
                await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    current = _current(connection)
    if current is not None and current > head():
        raise SchemaTooNew(current, head())
    if current == head():
        return
    # Importing Alembic is a third of the start-up time, and it is needed only after an upgrade.
    alembic = import_module("cartrita.adapters.persistence.alembic_upgrade")
    try:
        alembic.upgrade_to_head(connection, folder())
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _INSUFFICIENT_PRIVILEGE:
            raise SchemaForbidden from error
        raise


def _current(connection: Connection) -> str | None:
    if not connection.execute(text("SELECT to_regclass('alembic_version')")).scalar():
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return revision
