"""Checks whether the pieces of a streamed answer arrive one by one through a public address."""

import asyncio
import json
from collections.abc import Sequence
from typing import Final

import msgspec

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import HttpRequest
from cartrita.cli.doctor.findings import Finding, ok, problem, warning
from cartrita.cli.doctor.requests import deadlines
from cartrita.domain.errors import UpstreamError
from cartrita.kit.secret import Secret

DEFAULT_MODEL: Final = "offline/assistant"

_NAME: Final = "stream"
_FEWEST_EVENTS: Final = 8
_SHORTEST_S: Final = 0.25
_SEPARATE_S: Final = 0.005
"""What comes closer together came at once."""

_SHARE: Final = 3
"""Of so many events one at least comes by itself, where nothing gathers them."""

_BUFFERED: Final = (
    "Buffered: your proxy holds chunks. nginx: `proxy_buffering off;` for this location; others: "
    "switch off buffering, caching and compression of text/event-stream. See docs/operating.md."
)


_NO_KEY: Final = (
    "It was asked without a key: the bootstrap key goes to this machine and CARTRITA_HOST only."
)


class Arrivals(msgspec.Struct, frozen=True):
    """When events came, in seconds since the request was sent, of which some came together."""

    moments: Sequence[float]
    events: int
    seconds: float

    @property
    def bursts(self) -> int:
        """How often something came after a pause."""
        pauses = zip(self.moments, self.moments[1:], strict=False)
        return bool(self.moments) + sum(later - one > _SEPARATE_S for one, later in pauses)


async def examine_stream(
    url: str, key: Secret | None, model: str, http: HttpClient, seconds: float
) -> list[Finding]:
    """Ask the model there for a streamed answer, and look at when its events come."""
    try:
        async with asyncio.timeout(seconds):
            status, arrivals, code = await _ask(url, key, model, http, seconds)
    except UpstreamError as error:
        return [problem(_NAME, error.message, "Check the address, its certificate and the proxy.")]
    except TimeoutError:
        told = f"{url} gave no whole answer within {seconds:g} s."
        return [problem(_NAME, told, "Give it longer with --timeout, or see to the proxy.")]
    if arrivals is None:
        return [_refused(url, status, code, asked_with_key=key is not None)]
    return [judged(url, arrivals)]


def judged(url: str, arrivals: Arrivals) -> Finding:
    """What the arrivals tell."""
    told = f"{arrivals.events} events came from {url} in {arrivals.bursts} pieces"
    told += f" over {arrivals.seconds:.2f} s"
    if arrivals.bursts * _SHARE >= arrivals.events >= _FEWEST_EVENTS:
        return ok(_NAME, f"{told}, as they were sent.")
    if arrivals.events < _FEWEST_EVENTS or arrivals.seconds < _SHORTEST_S:
        fix = "Name a model that says more, more slowly, with --model."
        return warning(_NAME, f"{told}, which is too short to tell.", fix)
    return problem(_NAME, f"{told}.", _BUFFERED)


def _refused(url: str, status: int, code: str, *, asked_with_key: bool) -> Finding:
    told = f"{url}/v1/chat/completions answers {status} {code}".rstrip() + "."
    if status == 401:
        if not asked_with_key:
            told += f" {_NO_KEY}"
        return problem(_NAME, told, "Give a key of that server in CARTRITA_CLIENT_KEY.")
    if status == 404:
        return problem(_NAME, told, "Check that the address leads to Cartrita, and --model.")
    return problem(_NAME, told, "See the log of that server and of its proxy.")


async def _ask(
    url: str, key: Secret | None, model: str, http: HttpClient, seconds: float
) -> tuple[int, Arrivals | None, str]:
    """The status, what came of a stream, and the code of an error."""
    body = {
        "model": model,
        "stream": True,
        "messages": [{"role": "user", "content": "Say who you are, in two sentences."}],
    }
    signed = {} if key is None else {"authorization": Secret(f"Bearer {key.reveal()}")}
    request = HttpRequest(
        provider=url,
        method="POST",
        url=f"{url}/v1/chat/completions",
        headers={
            "content-type": "application/json",
            "accept": "text/event-stream",
            **signed,
        },
        body=json.dumps(body).encode(),
        deadlines=deadlines(seconds),
    )
    time = asyncio.get_running_loop().time
    began = time()
    moments: list[float] = []
    pieces: list[bytes] = []
    async with http.open(request) as response:
        while piece := await response.read():
            moments.append(time() - began)
            pieces.append(piece)
    octets = b"".join(pieces)
    kind = response.headers.get("content-type", "")
    if response.status != 200 or not kind.startswith("text/event-stream"):
        return response.status, None, _code(octets)
    events = octets.count(b"data: {")
    return response.status, Arrivals(moments, events, time() - began), ""


def _code(octets: bytes) -> str:
    """The code of an error in OpenAI's format, if it is one."""
    try:
        code = json.loads(octets)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return ""
    return code[:64] if isinstance(code, str) and code.isascii() and code.isidentifier() else ""
