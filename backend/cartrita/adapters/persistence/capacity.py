"""Whether a database has room for this server."""

from sqlalchemy import text

from cartrita.adapters.persistence.database import Database

_ROOM = text(
    "SELECT current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int"
)


class TooFewConnections(Exception):
    """The workers' pools would not fit."""

    def __init__(self, needed: int, room: int) -> None:
        super().__init__(
            f"The workers may need {needed} database connections and the database allows {room}: "
            "lower CARTRITA_WORKERS or CARTRITA_DATABASE_POOL_SIZE, or raise max_connections of "
            "the database."
        )


async def require(database: Database, connections: int) -> None:
    """Raises TooFewConnections."""
    async with database.use() as connection:
        room = int(await connection.scalar(_ROOM) or 0)
    if connections > room:
        raise TooFewConnections(connections, room)
