"""The limits of providers: those of the settings over the built-in ones."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cartrita.domain.limits import Limit
from cartrita.gateway.call_queues import QueuePolicy
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.memory_grants import MemoryGrants
from cartrita.settings import Settings

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


def create_limiter(settings: Settings) -> Limiter:
    """What lets calls of providers begin, in this process."""
    config = settings.limits
    return Limiter(
        provider_limits(settings),
        MemoryGrants(burst=config.provider_burst),
        QueuePolicy(
            patience=config.provider_wait_s,
            waiting=config.provider_waiting_max,
            notice=config.provider_position_s,
        ),
    )


def provider_limits(settings: Settings) -> Mapping[str, Limit]:
    """The limits of all providers that have one."""
    config = settings.limits.providers
    if not config.enabled:
        return {}
    limits = dict(PROVIDER_LIMITS)
    limits |= {rate.name: Limit(rate.count, rate.period_s) for rate in config.rates}
    return {name: limit for name, limit in limits.items() if name not in config.off}
