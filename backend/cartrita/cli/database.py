"""The database of a command: configured, of a running server, or started for the command."""

from collections.abc import Generator
from contextlib import contextmanager

from cartrita.adapters.persistence.schema import upgrade
from cartrita.adapters.persistence.startup_checks import require_reachable
from cartrita.adapters.postgres import DatabaseEndpoint, Supervisor, attach, find, major_of
from cartrita.cli.configured_endpoint import configured_endpoint
from cartrita.cli.errors import CommandError
from cartrita.settings import Settings


@contextmanager
def open_database(settings: Settings, *, create: bool = False) -> Generator[DatabaseEndpoint]:
    """Yield its endpoint; data of an older PostgreSQL is opened by a server of that version.

    Raises CommandError, also where there is no data and `create` is false, and PostgresError.
    """
    if settings.database.url is not None:
        yield configured_endpoint(settings.database.url)
        return
    running = attach(settings.data_dir) if settings.data_dir.exists() else None
    if running is not None:
        yield running
        return
    major = major_of(settings.data_dir)
    if major is None and not create:
        raise CommandError(
            f"There is no database in {settings.data_dir}: correct CARTRITA_DATA_DIR, or make one "
            "with `cartrita serve` or `cartrita migrate`."
        )
    supervisor = Supervisor(
        settings.data_dir,
        chosen=None if major is None else find(major=major),
        run_as=settings.postgres.run_as,
        start_timeout_s=settings.postgres.start_timeout_s,
    )
    try:
        yield supervisor.start()
    finally:
        supervisor.stop()


async def migrate_database(settings: Settings, endpoint: DatabaseEndpoint) -> None:
    """Upgrade the schema to this version. Raises DatabaseUnreachable and what `upgrade` raises."""
    if settings.database.url is not None:
        await require_reachable(endpoint.dsn(), settings.database.connect_timeout_s)
    await upgrade(endpoint.dsn())
