"""Checks the database: reached, of a known version, migrated, with rights and connections."""

import hmac
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Final

import asyncpg

from cartrita.adapters.persistence import schema
from cartrita.adapters.persistence.diagnosis import DatabaseState, examine
from cartrita.adapters.postgres import attach, major_of
from cartrita.assembly.connection_count import connection_count
from cartrita.cli.database import open_database
from cartrita.cli.doctor.clocks import clock_finding
from cartrita.cli.doctor.findings import Finding, ok, problem, warning
from cartrita.kit.operator_error import OperatorError
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings

_OLDEST: Final = 15


async def examine_database(settings: Settings) -> list[Finding]:
    """What is found of the configured database, of the running one, or of one started for this."""
    own = settings.database.url is None
    if own and (not settings.data_dir.exists() or major_of(settings.data_dir) is None):
        return [ok("database", "There is none yet: `cartrita serve` makes it at the first start.")]
    try:
        running = own and attach(settings.data_dir) is not None
        with open_database(settings) as endpoint:
            state = await examine(endpoint.dsn(), settings.database.connect_timeout_s)
    except OperatorError as error:
        return [problem("database", str(error), "")]
    except OSError as error:
        told = f"{error.filename or 'The database'}: {error.strerror or type(error).__name__}."
        return [problem("database", told, "See postgres.log in the data directory.")]
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        told = f"It refuses what it is asked ({type(error).__name__})."
        return [problem("database", told, "Correct CARTRITA_DATABASE_URL, or see to its log.")]
    where = "of the running server" if running else "in the data directory" if own else "configured"
    return list(_findings(settings, state, where))


def _findings(settings: Settings, state: DatabaseState, where: str) -> Iterator[Finding]:
    yield _version(state, where)
    yield _migrations(state)
    yield from _rights(state)
    yield _connections(state, connection_count(settings))
    if not settings_match(settings, state):
        yield problem(
            "secret",
            "The keys in this database were made with another secret.",
            "Set CARTRITA_SECRET to the one of the first server, or put back its file `secret`.",
        )
    yield clock_finding("clock (database)", state.ahead, _drift_told(state.ahead))


def _drift_told(ahead: timedelta) -> str:
    return f"The database is {abs(ahead).total_seconds():.1f} s {_direction(ahead)} this machine."


def _direction(ahead: timedelta) -> str:
    return "before" if ahead > timedelta() else "behind"


def _version(state: DatabaseState, where: str) -> Finding:
    told = f"PostgreSQL {state.version}, {where}, answers."
    if state.number // 10_000 < _OLDEST:
        return problem("database", told, f"Move to PostgreSQL {_OLDEST} or newer.")
    if state.standby:
        return problem("database", f"{told} It is a standby.", "Name the primary server.")
    if not state.durable:
        fix = "Set synchronous_commit to on: what was said to be stored must be."
        return problem("database", f"{told} Its commits are not durable.", fix)
    return ok("database", told)


def _migrations(state: DatabaseState) -> Finding:
    head = schema.head()
    if state.revision is None:
        return warning("migrations", "It has no tables.", "Run `cartrita migrate`, or serve.")
    told = f"The schema is {state.revision} and this version's is {head}."
    if state.revision < head:
        return problem("migrations", told, "Run `cartrita migrate`, or restart the server.")
    if state.revision > head:
        return problem("migrations", told, "Run the newer Cartrita that migrated it.")
    return ok("migrations", f"The schema is {head}, this version's.")


def _rights(state: DatabaseState) -> Iterator[Finding]:
    if state.unusable:
        told = f"The role may not read and write {', '.join(state.unusable)}."
        yield problem("rights", told, "Grant it ALL on all tables in the schema public.")
    if not state.may_create:
        told = "The role may not create tables, as migrations do."
        yield problem("rights", told, "Grant it CREATE on the schema public.")
    if state.may_create and not state.unusable:
        yield ok("rights", "The role may read, write and create all that it needs to.")


def _connections(state: DatabaseState, needed: int) -> Finding:
    told = f"The workers open up to {needed} connections, and {state.connections} are allowed."
    if needed > state.connections:
        fix = "Lower CARTRITA_WORKERS or CARTRITA_DATABASE_POOL_SIZE, or raise max_connections."
        return problem("connections", told, fix)
    return ok("connections", told)


def settings_match(settings: Settings, state: DatabaseState) -> bool:
    """Whether the keys of a database are of the secret here, as far as there is one."""
    secret = settings.auth.secret
    if secret is None:
        with suppress(OSError):
            secret = Secret((settings.data_dir / "secret").read_text("utf-8", "replace").strip())
    if secret is None or state.secret_digest is None:
        return True
    digest = derive_secret(secret, "installation").reveal().encode()
    return hmac.compare_digest(state.secret_digest, digest)
