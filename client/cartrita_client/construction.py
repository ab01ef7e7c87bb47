"""What both clients are made of."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from cartrita_client.addresses import Address
from cartrita_client.credentials import Keys, checked
from cartrita_client.retries import RetryPolicy
from cartrita_client.settings import Settings, Timeouts

if TYPE_CHECKING:
    from ssl import SSLContext


def settings_of(
    base_url: str,
    api_key: str | None,
    provider_keys: Mapping[str, str] | None,
    *,
    times: tuple[float, float, float, float],
    counts: tuple[int, int],
    delays: tuple[float, float],
    headers: Mapping[str, str] | None,
    verify: bool | SSLContext,
) -> Settings:
    """The settings of a client. Raises UnusableAddress or ValueError, which show no key."""
    named = {
        name: checked(key, f"The key of {name}") for name, key in (provider_keys or {}).items()
    }
    retries, resumes = counts
    first, longest = delays
    return Settings(
        Address.of(base_url),
        Keys(checked(api_key, "api_key"), {name: key for name, key in named.items() if key}),
        Timeouts(*times),
        RetryPolicy(retries + 1, first, longest_retry_after=longest),
        RetryPolicy(resumes + 1, first, longest_retry_after=longest),
        dict(headers or {}),
        verify,
    )


def module(name: str) -> ModuleType:
    """A module of this package, loaded when it is first needed."""
    return import_module(f"cartrita_client.{name}")
