"""The database for a command: the configured one, a running server's, or one started for it."""

from collections.abc import Generator
from contextlib import contextmanager

from cartrita.adapters.postgres import Endpoint, Supervisor, attach, find, from_url, major_of
from cartrita.cli.errors import CommandError
from cartrita.kit.secret import Secret
from cartrita.settings import Settings


@contextmanager
def open_database(settings: Settings) -> Generator[Endpoint]:
    """Raises CommandError, PostgresError. That of an older version is served by that version."""
    if settings.database.url is not None:
        yield configured_endpoint(settings.database.url)
        return
    running = attach(settings.data_dir) if settings.data_dir.exists() else None
    if running is not None:
        yield running
        return
    major = major_of(settings.data_dir)
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


def configured_endpoint(url: Secret) -> Endpoint:
    """Where CARTRITA_DATABASE_URL leads. Raises CommandError."""
    try:
        return from_url(url.reveal())
    except ValueError as error:
        raise CommandError(f"CARTRITA_DATABASE_URL cannot be used. {error}") from None
