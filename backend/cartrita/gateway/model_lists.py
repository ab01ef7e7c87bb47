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
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

ModelsByProvider: TypeAlias = dict[str, list[ModelInfo] | None]
"""The models that each provider lists; None where its list cannot be fetched."""


class _KeptList(msgspec.Struct, frozen=True):
    """The models that a provider listed at a time, and their names; None if the request failed."""

    fetched_at: float
    models: list[ModelInfo] | None
    names: frozenset[str]


class _Fetching(msgspec.Struct, frozen=True):
    """The request for a list that is under way, and the loop's time at which it began."""

    task: asyncio.Task[None]
    began: float


class ModelLists:
    """Lists of models, kept for `cache_s`, and failures to fetch one for `cache_failure_s`.

    While `run` runs, a list that is too old is used until the new one is there. A provider that has
    not listed its models yet is waited for no longer than `first_wait_s` from when it was asked,
    and one that failed last time than `patience` seconds. Otherwise whoever needs a list that is
    too old waits for the new one.
    """

    def __init__(
        self,
        providers: Mapping[str, ModelProvider],
        *,
        cache_s: float,
        cache_failure_s: float,
        first_wait_s: float = 2.0,
        patience: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._providers = providers
        self._cache_s = cache_s
        self._cache_failure_s = cache_failure_s
        self._first_wait_s = first_wait_s
        self._patience = patience
        self._clock = clock
        self._kept: dict[str, _KeptList] = {}
        self._locks = {name: asyncio.Lock() for name in providers}
        self._tasks = OwnedTasks()
        self._fetching: dict[str, _Fetching] = {}
        self._failure_logger = RepeatedFailures("models_not_refreshed")

    async def run(self) -> None:
        """Own the tasks that refresh lists, until cancelled."""
        await self._tasks.run()

    @property
    def current(self) -> bool:
        """Whether none of them is missing or too old."""
        return all(map(self._is_current, self._providers))

    def begin(self) -> None:
        """Ask all providers whose list is missing or too old, and wait for none of them."""
        if not self._tasks.running:
            return
        for name in self._providers.keys() - self._fetching.keys():
            if not self._is_current(name):
                task = self._tasks.start(self._refresh(name))
                self._fetching[name] = _Fetching(task, asyncio.get_running_loop().time())

    def pending(self, name: str) -> bool:
        """Whether a provider was asked, and has never answered yet."""
        return name in self._fetching and name not in self._kept

    def known(self, name: str) -> list[ModelInfo]:
        """The models that a provider listed last; none if it did not yet."""
        kept = self._kept.get(name)
        return [] if kept is None else kept.models or []

    def listed(self, name: str) -> bool:
        """Whether a provider was asked for its models before, and has answered or failed."""
        return name in self._kept

    def has(self, name: str, model: str) -> bool:
        """Whether a provider listed this model last."""
        return name in self._kept and model in self._kept[name].names

    def provider_of(self, model: str) -> str | None:
        """The first provider that listed a model of this name last."""
        kept = self._kept
        return next(
            (name for name in self._providers if name in kept and model in kept[name].names), None
        )

    async def all(self) -> ModelsByProvider:
        """The models of all providers, in their order."""
        if self.current:  # as it nearly always is
            return {name: self._kept[name].models for name in self._providers}
        self.begin()
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(self.of(name)) for name in self._providers}
        return {name: task.result() for name, task in tasks.items()}

    async def of(self, name: str, *, brief: bool = False) -> list[ModelInfo] | None:
        """The models of a provider; None if they cannot be fetched, or not in time.

        A `brief` call waits for one that has not answered yet as for one that has failed.
        """
        if not self._tasks.running:
            return await self._fresh(name)
        self.begin()
        kept = self._kept.get(name)
        fetching = self._fetching.get(name)
        if fetching is not None and (kept is None or kept.models is None):
            longest = self._first_wait_s if kept is None and not brief else self._patience
            left = fetching.began + longest - asyncio.get_running_loop().time()
            await asyncio.wait({fetching.task}, timeout=max(0.0, left))
        kept = self._kept.get(name)
        return None if kept is None else kept.models

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
            kept = self._kept.get(name) or _KeptList(0.0, None, frozenset())
            self._kept[name] = replace(kept, fetched_at=self._clock())
            self._failure_logger.exception(name, error=error, provider=name)
        else:
            self._failure_logger.forget(name)
        finally:
            del self._fetching[name]

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
