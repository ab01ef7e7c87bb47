"""The limits of providers: those of the settings over the built-in ones."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec.structs import replace

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.slots import SlotTable
from cartrita.adapters.valkey.slots import ValkeySlots
from cartrita.assembly.answer_cache import create_valkey_server
from cartrita.domain.limits import Limit
from cartrita.domain.ports.metrics import ProviderCounts
from cartrita.gateway.call_queues import QueuePolicy
from cartrita.gateway.grants import GrantStore
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.memory_grants import MemoryGrants
from cartrita.gateway.shared_grants import SharedGrants, SharingPolicy
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings

_DATABASE_BLOCK: Final = 20

PROVIDER_LIMITS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        "openai": Limit(100, 60),
        "huggingface": Limit(200, 60),
        "deepgram": Limit(30, 60),
        "tavily": Limit(100, 60),
        "github": Limit(500, 3600),
    }
)
"""The limits that are there without being configured, by the name of the provider."""


class Limiting(NamedTuple):
    """What lets calls of providers begin in this process, and the tasks that count for it."""

    limiter: Limiter
    tasks: OwnedTasks


@asynccontextmanager
async def open_limiting(
    settings: Settings, database: Database, secret: Secret, counts: ProviderCounts
) -> AsyncGenerator[Limiting]:
    """Limits by the settings; `secret` is that of the installation. Raises OperatorError."""
    config, tasks = settings.limits, OwnedTasks()
    policy = QueuePolicy(
        patience=config.provider_wait_s,
        waiting=config.provider_waiting_max,
        notice=config.provider_position_s,
    )
    async with _open_store(settings, database, secret, tasks) as store:
        limiter = Limiter(provider_limits(settings), store, policy, counts=counts)
        yield Limiting(limiter, tasks)


@asynccontextmanager
async def _open_store(
    settings: Settings, database: Database, secret: Secret, tasks: OwnedTasks
) -> AsyncGenerator[GrantStore]:
    """Valkey where there is one, else the database where several processes count together."""
    config = settings.limits
    sharers = config.replicas * settings.server.workers
    policy = SharingPolicy(sharers=sharers, burst=config.provider_burst)
    if settings.valkey.url is not None and config.providers.enabled:
        server = create_valkey_server(settings)
        try:
            yield SharedGrants(ValkeySlots(server, derive_secret(secret, "limits")), tasks, policy)
        finally:
            await server.close()
    elif sharers > 1:
        blocks = replace(policy, block=_DATABASE_BLOCK)
        yield SharedGrants(SlotTable(database), tasks, blocks)
    else:
        yield MemoryGrants(burst=config.provider_burst)


def provider_limits(settings: Settings) -> Mapping[str, Limit]:
    """The limits of all providers that have one."""
    config = settings.limits.providers
    if not config.enabled:
        return {}
    limits = dict(PROVIDER_LIMITS)
    limits |= {rate.name: Limit(rate.count, rate.period_s) for rate in config.rates}
    return {name: limit for name, limit in limits.items() if name not in config.off}
