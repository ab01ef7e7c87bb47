"""Connection tests of providers, quick and comprehensive, with advice on what fails."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import msgspec

from cartrita.application.credentials.endpoint_checks import (
    CHECKED_ENDPOINTS,
    PROMPT,
    CheckedEndpoint,
    call_endpoint,
)
from cartrita.dialects.upstream_errors import WRONG_ADDRESS
from cartrita.domain.errors import (
    EndpointMissing,
    NotFound,
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.ports.providers import ModelProvider, RelayProvider, can_relay
from cartrita.domain.provider_checks import CheckReport, CheckStep, ProviderSummary
from cartrita.domain.requests import ModelRequest, Sampling

STEP_SECONDS = 120.0
"""A step that takes longer has failed."""

_NO_LIST = (404, 405)
_REJECTED = "Check the model's name, and whether this account may call it."
_WRONG_ADDRESS = "Check the base URL: an API is at another address, often one that ends in /v1."
_ADVICE: Mapping[type[UpstreamError], str] = MappingProxyType(
    {
        UpstreamAuth: "Check the key: whether it is whole, active, and allowed to do this.",
        UpstreamQuota: "Add credit to the account, or raise its spending limit.",
        UpstreamLimited: "Slow down, or ask the provider for a higher limit; then try again.",
        UpstreamOverloaded: "Try again later; if it stays so, ask the provider's support.",
        UpstreamUnreachable: "Check that the server runs, and that the base URL names it.",
        UpstreamMalformed: "Check the base URL and the dialect: the server speaks another one.",
        UpstreamRejected: _REJECTED,
        EndpointMissing: _REJECTED,
        UpstreamCut: "Try again; if it stays so, look for a proxy that ends long answers.",
    }
)


class CheckedProvider(msgspec.Struct, frozen=True):
    """A provider that can be tested.

    `provider` lists the models that the server itself has. `configured` are the names that are
    offered instead of those, if any are configured. A `private_list` is shown for a good key only.
    """

    summary: ProviderSummary
    provider: ModelProvider
    configured: tuple[str, ...] = ()
    private_list: bool = False


class ProviderChecks:
    """Lists the providers, and tests the connection to each."""

    def __init__(
        self,
        providers: Iterable[CheckedProvider],
        *,
        unconfigured: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._providers = {one.summary.name: one for one in providers}
        self._unconfigured = unconfigured or {}
        self._clock = clock

    def summaries(self) -> list[ProviderSummary]:
        """All providers, preferred ones first."""
        return [one.summary for one in self._providers.values()]

    async def check(self, name: str, *, full: bool = False) -> CheckReport:
        """Reach the provider and list its models; with `full` also call a model, everyhow.

        One that has no list, and whose models are configured, is called once instead. A call costs
        a few tokens. Raises NotFound for an unknown name.
        """
        checked = self._find(name)
        listing = _Listing(checked)
        steps = [await self._step("models", listing.read)]
        if full or listing.is_missing:
            model = choose_model(checked.summary.default_model, listing.names)
            async for step in self._calls(checked.provider, model):
                steps.append(step)
                if not full:
                    break
        return CheckReport(name, tuple(steps))

    def _find(self, name: str) -> CheckedProvider:
        if name in self._providers:
            return self._providers[name]
        sentence = self._unconfigured.get(name) or (
            f"There is no provider {name[:200]}; there are {', '.join(self._providers)}."
        )
        raise NotFound(sentence, code="provider_not_configured")

    async def _calls(self, provider: ModelProvider, model: str | None) -> AsyncGenerator[CheckStep]:
        if model is None:
            yield CheckStep(
                name="completion",
                ok=False,
                seconds=0.0,
                detail=f"{provider.name} has no model that could be called.",
                advice="Load or pull a model there, or configure a default_model.",
            )
            return
        relays = False
        for dialect, endpoint in CHECKED_ENDPOINTS.items():
            if not can_relay(provider, dialect):
                continue
            relays = True
            for streamed in (False, True):
                name = f"{endpoint.endpoint} {'stream' if streamed else 'whole'}"
                call = partial(_call, provider, endpoint, model, streamed=streamed)
                yield await self._step(name, call)
        if not relays:
            yield await self._step("stream", lambda: ask_briefly(provider, model))

    async def _step(self, name: str, action: Callable[[], Awaitable[str]]) -> CheckStep:
        started = self._clock()
        try:
            async with asyncio.timeout(STEP_SECONDS):
                detail = await action()
        except TimeoutError:
            detail = f"It took more than {STEP_SECONDS:g} s."
            advice = _ADVICE[UpstreamOverloaded]
            return CheckStep(
                name=name, ok=False, seconds=STEP_SECONDS, detail=detail, advice=advice
            )
        except UpstreamError as error:
            return CheckStep(
                name=name,
                ok=False,
                seconds=self._clock() - started,
                detail=error.message,
                code=error.code,
                status=error.status,
                advice=advice_for(error),
            )
        return CheckStep(name=name, ok=True, seconds=self._clock() - started, detail=detail)


class _Listing:
    """The models that can be called: the configured ones, else those that the server lists."""

    def __init__(self, checked: CheckedProvider) -> None:
        self._checked = checked
        self.names: list[str] = list(checked.configured)
        self.is_missing = False

    async def read(self) -> str:
        """Ask the server, and say what it lists. Raises UpstreamError."""
        configured = self._checked.configured
        try:
            found = await self._checked.provider.models()
        except UpstreamError as error:
            if not configured or error.status not in _NO_LIST:
                raise
            self.is_missing = True
            return f"It has no list of models; {len(configured)} are configured."
        if configured:
            return f"It lists {len(found)} models; {len(configured)} are configured."
        self.names = [one.name for one in found if "embeddings" not in one.profile.capabilities]
        return f"It lists {len(found)} models."


def advice_for(error: UpstreamError) -> str | None:
    """What to do about an error of a provider."""
    if error.code == WRONG_ADDRESS or error.status == 405:
        return _WRONG_ADDRESS
    if error.status == 404 and "model" not in error.message.lower():
        return _WRONG_ADDRESS
    return _ADVICE.get(type(error))


async def ask_briefly(provider: ModelProvider, model: str) -> str:
    """Call a model for a few tokens, and say what came. Raises UpstreamError."""
    request = ModelRequest(
        owner_id="",
        model=model,
        messages=(Message(Role.USER, (Text(PROMPT),)),),
        sampling=Sampling(max_tokens=32),
    )
    async with provider.stream(request) as deltas:
        count = len([delta async for delta in deltas])
    return f"{model} answered in {count} pieces."


async def _call(
    provider: RelayProvider, endpoint: CheckedEndpoint, model: str, *, streamed: bool
) -> str:
    said = await call_endpoint(provider, endpoint, model, streamed=streamed)
    text = " ".join(said.split())[:80]
    return f"{model} answered: {text}" if text else f"{model} answered without text."


def choose_model(default: str | None, names: Sequence[str]) -> str | None:
    """The default model, unless the provider has others only: then the first of those."""
    return default if default in names or not names else names[0]
