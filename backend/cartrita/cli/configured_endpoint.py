"""The database that CARTRITA_DATABASE_URL names; imports no driver, for the parent needs none."""

from cartrita.adapters.postgres import DatabaseEndpoint, from_url
from cartrita.cli.errors import CommandError
from cartrita.kit.secret import Secret


def configured_endpoint(url: Secret) -> DatabaseEndpoint:
    """The endpoint that CARTRITA_DATABASE_URL names. Raises CommandError."""
    try:
        return from_url(url.reveal())
    except ValueError as error:
        raise CommandError(f"CARTRITA_DATABASE_URL cannot be used. {error}") from None
