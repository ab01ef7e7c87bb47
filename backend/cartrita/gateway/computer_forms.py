"""Offers a desktop in the best form that a model takes, and in the next where it is refused."""

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

import structlog
from msgspec.structs import replace

from cartrita.dialects.upstream_errors import REFUSED_FIELD
from cartrita.domain.deltas import Delta
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import KeyedProvider, RelayResponse
from cartrita.domain.relays import RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerForm, ComputerTool
from cartrita.gateway.profiles import find_profile
from cartrita.kit.remembered import Remembered
from cartrita.kit.secret import Secret

REMEMBERED_SECONDS: Final = 3600.0
"""For so long a form is not tried again for a model that refused it."""

_DIALECTS: Final[dict[ComputerForm, str]] = {
    "computer_toolset_20260801": "anthropic_messages",
    "computer_20251124": "anthropic_messages",
    "computer_20250124": "anthropic_messages",
    "computer": "openai_responses",
    "computer_use_preview": "openai_responses",
}
"""In which dialect a form is told; a function is told in any."""
_TYPE_OF_TOOL: Final = re.compile(r"tools[.\[]\d+[\].]*(?:\.type)?$")

log = structlog.get_logger(__name__)


class ComputerForms:
    """A provider that sets the form of desktops; implements `KeyedProvider`.

    What a model refuses is remembered for all keys. Each form is tried once in a call, and a call
    that offers no desktop is only passed on.
    """

    def __init__(
        self, provider: KeyedProvider, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._provider = provider
        self._refused = Remembered[tuple[str, ComputerForm]](REMEMBERED_SECONDS, clock=clock)

    @property
    def name(self) -> str:
        """See `ModelProvider`."""
        return self._provider.name

    @property
    def dialects(self) -> frozenset[str]:
        """See `RelayProvider.dialects`."""
        return self._provider.dialects

    def with_key(self, key: Secret) -> "ComputerForms":
        """See `KeyedProvider.with_key`."""
        other = ComputerForms(self._provider.with_key(key))
        other._refused = self._refused
        return other

    async def models(self) -> list[ModelInfo]:
        """See `ModelProvider.models`."""
        return await self._provider.models()

    def relay(self, request: RelayRequest) -> AbstractAsyncContextManager[RelayResponse]:
        """See `RelayProvider.relay`."""
        return self._provider.relay(request)

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        """See `ModelProvider.stream`."""
        if request.computer is None:
            return self._provider.stream(request)
        return self._stream(request)

    @asynccontextmanager
    async def _stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        async with AsyncExitStack() as stack:
            yield await self._answered(request, stack)

    async def _answered(self, request: ModelRequest, stack: AsyncExitStack) -> AsyncIterator[Delta]:
        *forms, last = self._forms(request.model)
        for form in forms:
            offered = self._provider.stream(_offered(request, form))
            try:
                return await stack.enter_async_context(offered)
            except UpstreamRejected as error:
                if not _names_tool(error, form):
                    raise
                self._refused.add((request.model, form))
                log.info(
                    "computer_form_refused", provider=self.name, model=request.model, form=form
                )
        return await stack.enter_async_context(self._provider.stream(_offered(request, last)))

    def _forms(self, model: str) -> list[ComputerForm]:
        """Those that the model and the provider take, the best first; a function is the last."""
        dialects = self.dialects
        forms: list[ComputerForm] = [
            form
            for form in find_profile(model).computer
            if _DIALECTS.get(form) in dialects and (model, form) not in self._refused
        ]
        return [*forms, "function"]


def _offered(request: ModelRequest, form: ComputerForm) -> ModelRequest:
    grid = find_profile(request.model).grid if form == "function" else None
    tools = tuple(
        replace(tool, form=form, grid=grid) if isinstance(tool, ComputerTool) else tool
        for tool in request.tools
    )
    return replace(request, tools=tools)


def _names_tool(error: UpstreamRejected, form: ComputerForm) -> bool:
    """Whether a provider refused the type of the tool, and not something else of the request."""
    if error.status not in (400, 404, 422):
        return False
    name = f"['\"`]{form}['\"`]" if form == "computer" else rf"\b{form}\b"
    if re.search(name, error.message):
        return True
    field = error.details.get(REFUSED_FIELD) or error.details.get("upstream_param")
    return isinstance(field, str) and _TYPE_OF_TOOL.match(field) is not None
