"""Finds the model servers that run on this machine."""

import asyncio
from collections.abc import Iterable

import msgspec
import structlog

from cartrita.adapters.providers.http import Call, Deadlines, Transport
from cartrita.dialects.openai_chat.response import model_names
from cartrita.domain.errors import UpstreamError
from cartrita.domain.models import ModelInfo

_MAX_LISTING_BYTES = 4 << 20
_OURSELVES = "cartrita"
_log = structlog.get_logger(__name__)


class Place(msgspec.Struct, frozen=True):
    """Where a server of this name usually listens."""

    name: str
    port: int
    host: str = "127.0.0.1"


class LocalServer(msgspec.Struct, frozen=True):
    """A model server that answered."""

    name: str
    base_url: str
    models: tuple[ModelInfo, ...]


async def discover(
    transport: Transport,
    places: Iterable[Place],
    *,
    own_port: int | None = None,
    timeout: float = 0.5,  # noqa: ASYNC109 - each probe has it, not the whole
) -> list[LocalServer]:
    """The servers that answer with a list of models, in the order of `places`.

    All are asked at once, each for at most `timeout` seconds. No other Cartrita is taken for a
    model server: its answers say `Server: cartrita`; neither is our own port asked.
    """
    wanted = [place for place in places if place.port != own_port]
    async with asyncio.TaskGroup() as group:
        probes = [group.create_task(_probe(transport, place, timeout)) for place in wanted]
    return [found for probe in probes if (found := probe.result()) is not None]


async def _probe(transport: Transport, place: Place, seconds: float) -> LocalServer | None:
    base_url = f"http://{place.host}:{place.port}/v1"
    call = Call(
        provider=place.name,
        method="GET",
        url=f"{base_url}/models",
        headers={"Accept": "application/json"},
        deadlines=Deadlines(connect=seconds, headers=seconds, idle=seconds, total=seconds),
        max_bytes=_MAX_LISTING_BYTES,
    )
    try:
        names = await _names(transport, call)
    except (UpstreamError, ValueError) as problem:
        _log.debug("no_model_server", name=place.name, port=place.port, why=str(problem))
        return None
    if names is None:
        _log.debug("other_server", name=place.name, port=place.port)
        return None
    _log.info("model_server_found", name=place.name, port=place.port, models=len(names))
    models = tuple(ModelInfo(place.name, name) for name in names)
    return LocalServer(place.name, base_url, models)


async def _names(transport: Transport, call: Call) -> list[str] | None:
    """None where something answers that is no model server, or is one of us."""
    async with transport.open(call) as answer:
        if answer.status != 200 or _OURSELVES in answer.headers.get("server", "").lower():
            return None
        body = b""
        while piece := await answer.read():
            body += piece
    return model_names(body)
