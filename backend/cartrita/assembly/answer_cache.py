"""The cache of answers, in the store that the settings name."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cartrita.adapters.persistence.cached_answers import CachedAnswerTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.valkey.cached_answers import ValkeyAnswers
from cartrita.adapters.valkey.server import ValkeyServer
from cartrita.domain.cached_answers import CacheBounds
from cartrita.domain.ports.answer_cache import AnswerCache
from cartrita.gateway.memory_cache import MemoryCache
from cartrita.gateway.paused_cache import PausedCache
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings


@asynccontextmanager
async def open_answer_cache(
    settings: Settings, database: Database, secret: Secret
) -> AsyncGenerator[AnswerCache]:
    """The configured cache; `secret` is that of the installation. Raises OperatorError."""
    match settings.cache.store:
        case "memory":
            yield MemoryCache(cache_bounds(settings))
        case "database":
            cache = PausedCache(CachedAnswerTable(database, cache_bounds(settings)))
            async with asyncio.TaskGroup() as tasks:
                owner = tasks.create_task(cache.run())
                yield cache
                owner.cancel()
        case "valkey":
            server = create_valkey_server(settings)
            try:
                installation = derive_secret(secret, "cached answers")
                yield ValkeyAnswers(server, installation, cache_bounds(settings))
            finally:
                await server.close()


def create_valkey_server(settings: Settings) -> ValkeyServer:
    """The configured Valkey server, to which nothing has connected yet. Raises OperatorError."""
    config = settings.valkey
    assert config.url is not None
    return ValkeyServer(config.url, timeout_s=config.timeout_s, pause_s=config.pause_s)


def cache_bounds(settings: Settings) -> CacheBounds:
    """The bounds of the cache of answers."""
    config = settings.cache
    return CacheBounds(
        entries=config.entries_max,
        total_bytes=config.bytes_max,
        entry_bytes=config.entry_max_bytes,
    )
