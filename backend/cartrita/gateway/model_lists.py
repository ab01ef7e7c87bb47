"""Lists of the models of all providers, kept for a time and refreshed beside the calls."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
import structlog
from msgspec.structs import replace

from cartrita.domain.errors import UpstreamError
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import ModelProvider
from cartrita.gateway.profiles import with_profile
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger()

ModelsByProvider: TypeAlias = dict[str, list[ModelInfo] | None]
"""The models that each provider lists; None where its list cannot be fetched."""


class _KeptList(msgspec.Struct, frozen=True):
    """The models that a provider listed at a time, and their names; None if the request failed."""

    fetched_at: float
    models: list[ModelInfo] | None
    names: frozenset[str]


class ModelLists:
    """Lists of models, kept for `cache_s`, and failures to fetch one for `cache_failure_s`.

    While `run` runs, a list that is too old is used until the new one is there, and a provider that
    failed last time is waited for no longer than `patience` seconds. Otherwise whoever needs a list
    that is too old waits for the new one.
    """

    def __init__(
        self,
        providers: Mapping[str, ModelProvider],
        *,
        cache_s: float,
        cache_failure_s: float,
        patience: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._providers = providers
        self._cache_s = cache_s
        self._cache_failure_s = cache_failure_s
        self._patience = patience
        self._clock = clock
        self._kept: dict[str, _KeptList] = {}
        self._locks = {name: asyncio.Lock() for name in providers}
        self._group: asyncio.TaskGroup | None = None
        self._refreshing: set[str] = set()
        self._failures = RepeatedFailures()

    async def run(self) -> None:
        """Own the tasks that refresh lists, until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._group:
                await asyncio.Event().wait()
        finally:
            self._group = None

    def known(self, name: str) -> list[ModelInfo]:
        """The models that a provider listed last; none if it did not yet."""
        kept = self._kept.get(name)
        return [] if kept is None else kept.models or []

    def provider_of(self, model: str) -> str | None:
        """The first provider that listed a model of this name last."""
        kept = self._kept
        return next(
            (name for name in self._providers if name in kept and model in kept[name].names), None
        )

    async def all(self) -> ModelsByProvider:
        """The models of all providers, in their order."""
        if all(map(self._is_current, self._providers)):  # as it nearly always is
            return {name: self._kept[name].models for name in self._providers}
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(self.of(name)) for name in self._providers}
        return {name: task.result() for name, task in tasks.items()}

    async def of(self, name: str) -> list[ModelInfo] | None:
        """The models of a provider; None if they cannot be fetched."""
        kept = self._kept.get(name)
        if kept is None or self._group is None:
            return await self._fresh(name)
        if self._is_old(kept) and name not in self._refreshing:
            self._refreshing.add(name)
            refresh = self._group.create_task(self._refresh(name))
            if kept.models is None:
                await asyncio.wait({refresh}, timeout=self._patience)
        return self._kept[name].models

    async def _fresh(self, name: str) -> list[ModelInfo] | None:
        async with self._locks[name]:  # concurrent callers share one request
            kept = self._kept.get(name)
            if kept is None or self._is_old(kept):
                models = await self._fetch(name)
                names = frozenset(model.name for model in models or ())
                kept = self._kept[name] = _KeptList(self._clock(), models, names)
            return kept.models

    async def _refresh(self, name: str) -> None:
        try:
            await self._fresh(name)
        except Exception as error:  # a list is no reason to stop the server; the old one is kept
            self._kept[name] = replace(self._kept[name], fetched_at=self._clock())
            if self._failures.is_new(name, error):
                log.exception("models_not_refreshed", provider=name)
        else:
            self._failures.forget(name)
        finally:
            self._refreshing.discard(name)

    def _is_current(self, name: str) -> bool:
        kept = self._kept.get(name)
        return kept is not None and not self._is_old(kept)

    def _is_old(self, kept: _KeptList) -> bool:
        lifetime = self._cache_failure_s if kept.models is None else self._cache_s
        return self._clock() - kept.fetched_at > lifetime

    async def _fetch(self, name: str) -> list[ModelInfo] | None:
        try:
            listed = await self._providers[name].models()
        except UpstreamError as error:
            log.warning("models_not_listed", provider=name, code=error.code)
            return None
        return [with_profile(model) for model in listed]
