"""How many database connections a server takes."""

from cartrita.settings import Settings

_LINKS = 3
"""The log's writer, heartbeat and watch have one each, so that no request can starve them."""
_COMMANDS = 5
"""For `cartrita keys`, `backup` and a person with psql."""


def connections(settings: Settings) -> int:
    """The most that all workers hold at once, with some to spare for commands."""
    pools = 2 * settings.database.pool_size  # requests have one, the run log the other
    return settings.server.workers * (pools + _LINKS) + _COMMANDS
