"""Discovery of the model servers that run on this machine."""

import asyncio
from collections.abc import Iterable

import msgspec
import structlog

from cartrita.adapters.http.transport import Deadlines, HttpRequest, Transport
from cartrita.dialects.openai_model_list import parse_models
from cartrita.domain.errors import UpstreamError

_MAX_LISTING_BYTES = 4 << 20
_OWN_SERVER_HEADER = "cartrita"
log = structlog.get_logger(__name__)


class UsualAddress(msgspec.Struct, frozen=True):
    """Where a model server of this name usually listens."""

    name: str
    port: int
    host: str = "127.0.0.1"


class DiscoveredServer(msgspec.Struct, frozen=True):
    """A model server that answered with a list of models."""

    name: str
    base_url: str


async def discover(
    transport: Transport,
    addresses: Iterable[UsualAddress],
    *,
    own_port: int | None = None,
    timeout: float = 0.5,  # noqa: ASYNC109 - each probe has it, not the whole
) -> list[DiscoveredServer]:
    """The servers that answer with a list of models, in the order of `addresses`.

    All are probed at once, each for at most `timeout` seconds. `own_port` is skipped, and so is any
    other Cartrita, which is recognised by its header `Server: cartrita`.
    """
    wanted = [address for address in addresses if address.port != own_port]
    async with asyncio.TaskGroup() as group:
        probes = [group.create_task(_probe(transport, address, timeout)) for address in wanted]
    return [server for probe in probes if (server := probe.result()) is not None]


async def _probe(
    transport: Transport, address: UsualAddress, seconds: float
) -> DiscoveredServer | None:
    base_url = f"http://{address.host}:{address.port}/v1"
    request = HttpRequest(
        provider=address.name,
        method="GET",
        url=f"{base_url}/models",
        headers={"Accept": "application/json"},
        deadlines=Deadlines(connect=seconds, headers=seconds, idle=seconds, total=seconds),
        max_bytes=_MAX_LISTING_BYTES,
    )
    try:
        names = await _list_models(transport, request)
    except (UpstreamError, ValueError) as error:
        log.debug("no_model_server", name=address.name, port=address.port, why=str(error))
        return None
    if names is None:
        log.debug("other_server", name=address.name, port=address.port)
        return None
    log.info("model_server_found", name=address.name, port=address.port, models=len(names))
    return DiscoveredServer(address.name, base_url)


async def _list_models(transport: Transport, request: HttpRequest) -> list[str] | None:
    """The names of its models; None if it is no model server, or is another Cartrita."""
    async with transport.open(request) as response:
        server = response.headers.get("server", "").lower()
        if response.status != 200 or _OWN_SERVER_HEADER in server:
            return None
        body = b""
        while piece := await response.read():
            body += piece
    return [name for name, _ in parse_models(body)]
