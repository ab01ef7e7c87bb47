"""The database's own memory of the secret that its keys are made with."""

import hmac

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables import installation


class SecretMismatch(Exception):
    """Another CARTRITA_SECRET made the keys of this database."""

    def __init__(self) -> None:
        super().__init__(
            "This database belongs to a server with another CARTRITA_SECRET: its keys and cookies "
            "would not be recognised. Give every replica the same CARTRITA_SECRET (the first "
            "server keeps its own in the file `secret` of its data directory)."
        )


async def agree(database: Database, secret_digest: bytes) -> None:
    """Be the first to name the secret, or name the same. Raises SecretMismatch."""
    async with database.transaction() as connection:
        await connection.execute(
            insert(installation).values(secret_digest=secret_digest).on_conflict_do_nothing()
        )
        known = await connection.scalar(select(installation.c.secret_digest))
    if known is None or not hmac.compare_digest(known, secret_digest):
        raise SecretMismatch
