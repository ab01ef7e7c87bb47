"""How many database connections a server needs; imports no driver, for the parent asks it too."""

from cartrita.settings import Settings

_RUN_LOG_CONNECTIONS = 3
"""Those of the run log's writer, heartbeat and listener, so that no request can block them."""
_SPARE_CONNECTIONS = 5
"""For `cartrita keys`, `cartrita backup` and a person with psql."""


def connection_count(settings: Settings) -> int:
    """The most connections that all workers open at once, and some spare ones."""
    pools = 2 * settings.database.pool_size  # one for requests, one for the run log
    return settings.server.workers * (pools + _RUN_LOG_CONNECTIONS) + _SPARE_CONNECTIONS
