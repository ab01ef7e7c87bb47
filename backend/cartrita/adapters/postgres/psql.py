"""SQL through PostgreSQL's own client, for the few statements that the supervisor itself needs."""

import subprocess
from collections.abc import Mapping

from cartrita.adapters.postgres import children
from cartrita.adapters.postgres.binaries import Binaries
from cartrita.adapters.postgres.endpoints import Endpoint

_TIMEOUT_S = 60


class QueryFailed(Exception):
    """What psql said."""


def run(binaries: Binaries, endpoint: Endpoint, script: str) -> str:
    """Run a script (psql's own commands included); its unadorned output."""
    options = ("-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1")
    words = [binaries.program("psql"), *options, "-d", endpoint.conninfo(), "-f", "-"]
    try:
        done = children.run(
            words, text=script, variables=password_variable(endpoint), timeout_s=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise QueryFailed(f"no answer within {_TIMEOUT_S} seconds") from None
    if not done.ok:
        raise QueryFailed(done.last_line)
    return done.stdout.strip()


def password_variable(endpoint: Endpoint) -> Mapping[str, str]:
    """The password for one child's environment, which only its user may read."""
    return {"PGPASSWORD": endpoint.password.reveal(), "PGCONNECT_TIMEOUT": "10"}


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
