"""Engines: what transcribes or speaks for a caller, in the order in which it is tried."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

import structlog

from cartrita.domain.errors import (
    Busy,
    CartritaError,
    EndpointMissing,
    InvalidInput,
    NotFound,
    NotOffered,
    RateLimited,
    RecordingRefused,
    Unavailable,
    UnsupportedMedia,
    UpstreamError,
    UpstreamRejected,
)
from cartrita.domain.ports.speech import SpeechSynthesizer, Transcriber
from cartrita.domain.principals import Principal
from cartrita.domain.speech import SpeechModel, least_need
from cartrita.gateway.service_calls import ServiceCalls, no_key

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=Transcriber | SpeechSynthesizer)
R = TypeVar("R")

EMBEDDED: Final = "embedded"
"""The provider of what runs on this machine, each of whose models is an engine of its own."""
_USUAL: Final = ("deepgram", "openai", EMBEDDED)
_LONGEST_NAME: Final = 255


class Engine(NamedTuple, Generic[E]):
    """One that may be used, and by which of its models; None leaves that to it."""

    service: E
    model: str | None

    @property
    def label(self) -> str:
        """As callers name it."""
        name = self.service.name
        return name if self.model is None else f"{name}/{self.model}"

    @property
    def offered(self) -> SpeechModel | None:
        """What is known of the model that it uses."""
        models = self.service.models
        if self.model is None:
            return models[0] if models else None
        return next((one for one in models if one.name == self.model), None)

    @property
    def model_name(self) -> str | None:
        """The name of the model that it uses, as far as that is known."""
        return self.model or (None if self.offered is None else self.offered.name)


class EngineNames(NamedTuple):
    """How engines of one kind are called: the field that names one, its error, and what to do."""

    field: str
    code: str
    missing: str


TRANSCRIBERS: Final = EngineNames(
    "transcriber",
    "transcription_unavailable",
    "Nothing here transcribes: set DEEPGRAM_API_KEY or OPENAI_API_KEY, or install what does it on "
    "this machine (the extra voice, in a clone: .venv/bin/uv pip install --python .venv "
    "-c requirements-dev.lock -e 'backend[voice]').",
)
SYNTHESIZERS: Final = EngineNames(
    "synthesizer",
    "speech_unavailable",
    "Nothing here speaks: set DEEPGRAM_API_KEY or OPENAI_API_KEY, or install what does it on this "
    "machine (apt install flite ffmpeg).",
)


class Engines(Generic[E]):
    """All engines of one kind. `usual` are names in the order of preference; empty, our own."""

    def __init__(
        self,
        services: Sequence[E],
        calls: ServiceCalls,
        names: EngineNames,
        usual: Sequence[str] = (),
    ) -> None:
        self._services = {one.name: one for one in services}
        self._calls = calls
        self._names = names
        self._usual = usual

    @property
    def services(self) -> Sequence[E]:
        """All there are, whoever may use them."""
        return [*self._services.values()]

    @property
    def preferred(self) -> Sequence[tuple[E, Sequence[SpeechModel]]]:
        """All there are with their models; what is tried where none is named comes first."""
        usual = [*(self._usual or _USUAL)]
        providers = [name.partition("/")[0] for name in usual]
        return [
            (one, sorted(one.models, key=lambda model: _place(usual, f"{one.name}/{model.name}")))
            for one in sorted(self.services, key=lambda one: _place(providers, one.name))
        ]

    async def of(self, principal: Principal, wanted: str | None = None) -> Sequence[Engine[E]]:
        """Those for a caller, or the one that it names as `provider` or `provider/model`.

        Never none: raises Unavailable, InvalidInput, Forbidden, and NotFound where the one that is
        named has no key.
        """
        if wanted is not None:
            return await self._named(principal, wanted)
        found: list[Engine[E]] = []
        refused: CartritaError | None = None
        for name in self._usual or _USUAL:
            try:
                found += await self._allowed(principal, self._split(name))
            except CartritaError as error:
                refused = refused or error
        if found:
            return found
        raise self._none(refused)

    @property
    def missing(self) -> Sequence[str]:
        """The names of those that are preferred and are not here."""
        return [name for name in self._usual if not self._is_here(name)]

    async def usable(self, principal: Principal, service: E) -> bool:
        """Whether it has the key that it needs, of the server or the caller."""
        return not service.needs_key or await self._calls.paid_by(principal, service)

    def _none(self, refused: CartritaError | None) -> CartritaError:
        """The error where there are none: what the operator asked for tells why."""
        if isinstance(refused, InvalidInput):  # no caller has named it
            names = ", ".join(self.missing)
            setting = f"The setting voice.{self._names.field}s"
            told = f"{setting} names what is not here, {names}: {refused}."
            return Unavailable(told, code=self._names.code)
        if refused is not None and (self._usual or not isinstance(refused, NotFound)):
            return refused
        return Unavailable(self._names.missing, code=self._names.code)

    async def _named(self, principal: Principal, wanted: str) -> Sequence[Engine[E]]:
        found = await self._allowed(principal, self._split(wanted))
        if found:
            return found
        service, model = self._split(wanted)
        needs = least_need([one for one in service.models if model in (None, one.name)])
        told = f" {needs}" if needs else ""
        raise Unavailable(f"{wanted} cannot be used here.{told}", code=self._names.code)

    async def _allowed(self, principal: Principal, named: tuple[E, str | None]) -> list[Engine[E]]:
        service, model = named
        principal.scopes.require_provider(service.name)
        if not await self.usable(principal, service):
            raise no_key(service.name)
        engines = [Engine(service, each) for each in _models(service, model)]
        allowed = [one for one in engines if _allows(principal, one)]
        if engines and not allowed:
            principal.scopes.require_model(service.name, engines[0].model or "")
        return allowed

    def _split(self, name: str) -> tuple[E, str | None]:
        """The service and the model of a name. Raises InvalidInput."""
        provider, _, model = name.partition("/")
        service = self._services.get(provider)
        if service is None or len(name) > _LONGEST_NAME:
            known = ", ".join(self._services) or "none"
            raise InvalidInput.of(
                self._names.field,
                f"choose one of {known}, or one of their models as provider/model",
            )
        if service.name == EMBEDDED and model:
            self._require_own(service, model)
        return service, model or None

    def _is_here(self, name: str) -> bool:
        try:
            self._split(name)
        except InvalidInput:
            return False
        return True

    def _require_own(self, service: E, model: str) -> None:
        """Raises NotOffered for a model that this machine does not have: others may know more."""
        known = [one.name for one in service.models]
        if known and model not in known:
            raise NotOffered.of(
                self._names.field, f"{service.name} has {', '.join(known)}, and none of this name"
            )


def _place(names: Sequence[str], name: str) -> int:
    """Where a name is among these; after all of them if it is none."""
    return names.index(name) if name in names else len(names)


def _models(service: Transcriber | SpeechSynthesizer, model: str | None) -> list[str | None]:
    """The models to try: of this machine's, all that can be used; of others the usual one."""
    if model is not None:
        known = next((one for one in service.models if one.name == model), None)
        return [] if known is not None and known.needs else [model]
    if service.name == EMBEDDED:
        return [one.name for one in service.models if not one.needs]
    return [None]


def _allows(principal: Principal, engine: Engine[E]) -> bool:
    """Whether the caller's key allows this model, which is of a provider that it allows."""
    scopes = principal.scopes
    return scopes.models is None or scopes.allows_model(
        engine.service.name, engine.model_name or ""
    )


FAILING: Final = (UpstreamError, NotOffered, RateLimited, Unavailable, UnsupportedMedia)
"""What an engine raises where another may do better."""
_REFUSING: Final = (UpstreamRejected, InvalidInput)
"""What it raises for a request that none would take, if no other has refused its recording."""


async def first_able(engines: Sequence[Engine[E]], use: Callable[[Engine[E]], Awaitable[R]]) -> R:
    """What the first engine makes that can. Raises what the most preferred one failed with.

    That a credential of the caller's own is refused is told at once, and so is a request that no
    engine would take; but not where another could not even read its recording.
    """
    left, failures = engines, list[CartritaError]()
    while left:
        engine = left[0]
        try:
            return await use(engine)
        except (*FAILING, *_REFUSING) as error:
            if error.callers_own or not (may_pass_over(error) or _refuses_too(error, failures)):
                raise
            log_failure(engine, error)
            failures.append(error)
            left = after(left, error)
    raise telling(failures)


def after(engines: Sequence[Engine[E]], error: CartritaError) -> Sequence[Engine[E]]:
    """Those to try after the first one, which failed with this.

    Seats that were waited for in vain are those of all of its service's models.
    """
    busy = engines[0].service if isinstance(error, Busy) else None
    return [one for one in engines[1:] if one.service is not busy]


def log_failure(engine: Engine[E], error: CartritaError) -> None:
    """Let the operator know which engine did not do what was asked of it, and why."""
    log.warning("engine_failed", engine=engine.label, code=error.code)


def telling(failures: Sequence[CartritaError]) -> CartritaError:
    """Which error of engines that all failed is told: that of the most preferred that could."""
    return next((one for one in failures if not isinstance(one, NotOffered)), failures[0])


def may_pass_over(error: CartritaError) -> bool:
    """Whether another engine may do better than one that failed with this."""
    if isinstance(error, UpstreamRejected):
        return isinstance(error, EndpointMissing | RecordingRefused)
    return isinstance(error, FAILING)


def _refuses_too(error: CartritaError, failures: Sequence[CartritaError]) -> bool:
    """Whether it refuses, in its own words, a recording that one before it refused."""
    refused = any(isinstance(one, RecordingRefused) for one in failures)
    return refused and isinstance(error, _REFUSING)
