"""Calls of models, as surfaces ask for them."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from cartrita.domain.credentials import NO_CREDENTIALS, SERVER, CredentialsByProvider
from cartrita.domain.ids import RunId
from cartrita.domain.ports.relay_monitors import CreateMonitor
from cartrita.domain.principals import LOCAL_TENANT
from cartrita.domain.relays import Endpoint
from cartrita.domain.requests import ModelRequest
from cartrita.domain.run_parts import RunPart
from cartrita.domain.scopes import UNLIMITED, Operation, Scopes
from cartrita.domain.traces import CalledFor
from cartrita.kit.long_work import run_long


class Relayable(msgspec.Struct, frozen=True, kw_only=True):
    """How a request is passed on as it is, to a provider that speaks its dialect.

    `rewrite` makes the body for the provider's name of a model; `monitor` makes the monitor of an
    answer, of the kind that suits `Call.streamed`. `body_monitor` makes that of a body, with which
    a server that cannot stream answers a streamed request; None where requests are never streamed.
    """

    endpoint: Endpoint
    rewrite: Callable[[str], bytes]
    monitor: CreateMonitor
    body_monitor: CreateMonitor | None = None
    headers: Mapping[str, str] = {}


class CacheWish(msgspec.Struct, frozen=True):
    """A caller's wish for a cached answer: `ttl` is the age in seconds up to which it will do.

    None leaves it to the configuration; 0 wants a new answer, even where the route caches.
    """

    ttl: float | None = None


class PauseListener(Protocol):
    """Is told that a call waits for its provider, at which place, for about how many seconds."""

    async def __call__(self, provider: str, seconds: float, position: int, /) -> None: ...


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One model call as it was asked for.

    `name` is the model as the caller wrote it, a model or a route; with `provider` it is that
    provider's. Both empty select the default. `parse` returns the request and is called only where
    it has to be read; it caches its result. `relay` is None where the request cannot be passed on.
    `choices` is how many answers to the request come at once. `seconds` is the time left
    to the caller's deadline. With `relay_only` no translation is tried: `parse` raises the error of
    a provider that cannot be sent the request as it is. One that costs nothing is not `recorded` in
    the ledger. `said` is how the answer begins that is to be gone on with: its reader has
    it. `size` is the bytes that `parse` reads. `on_pause` is told of pauses that are long enough to
    be noticed. `before_attempt` is asked right before each attempt is sent, and raises LeaseLost
    where its run is another server's by then; `part` is what of
    that run it is made for. `scopes` are those of the caller's key; no deployment
    that they do not allow is called, whatever name it was asked for by. `credentials` pay for it at
    their providers, beside those that are stored for its owner, which the gateway finds. `log_keys`
    tells the log of a request that is not parsed. With `priced_only` no deployment is called whose
    price is not known.
    One that is traced is `traced_for` somebody; `caller_trace` is that of its principal.
    """

    owner_id: str
    surface: str
    name: str
    parse: Callable[[], ModelRequest]
    key_id: str | None = None
    part: RunPart | None = None
    provider: str | None = None
    streamed: bool = True
    strict: bool = False
    relay: Relayable | None = None
    cache: CacheWish | None = None
    choices: int = 1
    seconds: float | None = None
    relay_only: bool = False
    recorded: bool = True
    said: str = ""
    size: int = 0
    on_pause: PauseListener | None = None
    before_attempt: Callable[[], None] | None = None
    tenant_id: str = LOCAL_TENANT
    scopes: Scopes = UNLIMITED
    operation: Operation = Operation.CHAT
    log_keys: Callable[[], Mapping[str, int | str | None]] | None = None
    credentials: CredentialsByProvider = NO_CREDENTIALS
    priced_only: bool = False
    caller_trace: str | None = None
    traced_for: CalledFor | None = None

    async def read(self) -> ModelRequest:
        """The request, parsed beside the event loop if that takes long."""
        return await run_long(self.size, self.parse)

    def credential_at(self, provider: str) -> str:
        """The id of the credential that pays for it at a provider."""
        paying = self.credentials.get(provider)
        return SERVER if paying is None else paying.id

    @property
    def run_id(self) -> RunId | None:
        """The run that it is made for, if there is one."""
        return None if self.part is None else self.part.run_id

    @property
    def cacheable(self) -> bool:
        """Whether equal calls may have its answer: not if it is a run's, or one of several."""
        return self.choices == 1 and self.part is None

    @property
    def continuable(self) -> bool:
        """Whether its answer can be continued as it was relayed: of several only one could be."""
        return self.choices == 1
