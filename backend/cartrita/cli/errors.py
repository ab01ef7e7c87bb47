"""The error that ends a command, and the context that turns known errors into it."""

from collections.abc import Generator
from contextlib import contextmanager

from cartrita.adapters.persistence.schema import SchemaForbidden, SchemaTooNew
from cartrita.adapters.persistence.startup_checks import DatabaseUnreachable
from cartrita.domain.errors import CartritaError


class CommandError(Exception):
    """The command failed; the text is one sentence that the operator can act on."""


@contextmanager
def as_command_errors() -> Generator[None]:
    """Raise errors whose text is meant for the operator as CommandError."""
    try:
        yield
    except (CartritaError, DatabaseUnreachable, SchemaForbidden, SchemaTooNew) as error:
        raise CommandError(str(error)) from error
