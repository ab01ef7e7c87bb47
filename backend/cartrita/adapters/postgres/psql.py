"""Running SQL with psql, for the few statements that the supervisor and backups need."""

import subprocess
from collections.abc import Mapping

from cartrita.adapters.postgres import subprocesses
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.endpoints import DatabaseEndpoint

_TIMEOUT_S = 60


class QueryFailed(Exception):
    """The statement failed; the text is psql's last line."""


def run(binaries: Binaries, endpoint: DatabaseEndpoint, script: str) -> str:
    """Run a script, which may hold psql's own commands; its unaligned output without headers.

    Raises QueryFailed.
    """
    options = ("-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1")
    words = [binaries.program("psql"), *options, "-d", endpoint.conninfo(), "-f", "-"]
    try:
        done = subprocesses.run(
            words, text=script, variables=password_variable(endpoint), timeout_s=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise QueryFailed(f"no answer within {_TIMEOUT_S} seconds") from None
    if not done.ok:
        raise QueryFailed(done.last_line)
    return done.stdout.strip()


def password_variable(endpoint: DatabaseEndpoint) -> Mapping[str, str]:
    """The password as an environment variable, which only the child's user may read."""
    return {"PGPASSWORD": endpoint.password.reveal(), "PGCONNECT_TIMEOUT": "10"}


def literal(text: str) -> str:
    """The text quoted as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
