"""Reads pages of the public web as text: implements `WebPages`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

import msgspec

from cartrita.adapters.http.transport import Deadlines, HttpRequest, HttpResponse, Transport
from cartrita.adapters.web.page_addresses import page_address, redirected
from cartrita.adapters.web.page_bodies import HTML, Inflating, media_type, text_of
from cartrita.adapters.web.readable import readable
from cartrita.adapters.web.seats import OwnerSeats
from cartrita.domain.errors import InvalidInput, UpstreamCut, UpstreamRejected
from cartrita.domain.web import WebPage
from cartrita.kit.text import storable_text

_ACCEPT: Final = {"Accept": "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.5"}
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_MOST_REDIRECTS: Final = 5
_AT_ONCE: Final = 16
_OF_ONE_OWNER: Final = 4
_WAIT_S: Final = 4.0
"""For a place; whoever asked for the page waits for it no longer than 5 s beside its own time."""


class PageLimits(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` for a page with its redirects; of a longer one than `bytes` the beginning."""

    seconds: float = 20.0
    bytes: int = 2 << 20


class _Sent(msgspec.Struct, frozen=True):
    """A page as it came."""

    url: str
    media_type: str
    text: str
    truncated: bool


class PageReader:
    """Reads pages by a transport that reaches the public web only.

    Nothing of the caller or of this server is sent: no credential, no cookie, no referrer. Each
    redirect is looked at as the first address was. Pages are read in a thread of their own, one at
    a time, because a long one takes a second.
    """

    def __init__(self, transport: Transport, limits: PageLimits | None = None) -> None:
        self._transport = transport
        self._limits = limits or PageLimits()
        self._seats = OwnerSeats(_AT_ONCE, _OF_ONE_OWNER, _WAIT_S)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="web-page")

    def close(self) -> None:
        """Read no more pages."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def fetch(self, url: str, owner_id: str = "") -> WebPage:
        """See `WebPages.fetch`."""
        address = page_address(url)
        async with self._seats.one(owner_id):
            return await self._fetch(address)

    async def _fetch(self, address: str) -> WebPage:
        try:
            async with asyncio.timeout(self._limits.seconds):
                sent = await self._follow(address)
                return await self._page(sent)
        except TimeoutError:
            host = _host(address)
            raise UpstreamCut(
                f"{host} did not send the page within {self._limits.seconds:g} s.", provider=host
            ) from None

    async def _follow(self, url: str) -> _Sent:
        for _ in range(_MOST_REDIRECTS + 1):
            async with self._transport.open(self._request(url)) as response:
                location = response.headers.get("location")
                if response.status not in _REDIRECTS or not location:
                    return await self._sent(url, response)
            url = redirected(url, location)
        raise InvalidInput.of("url", f"it is redirected more than {_MOST_REDIRECTS} times")

    async def _sent(self, url: str, response: HttpResponse) -> _Sent:
        status, host = response.status, _host(url)
        if not 200 <= status < 300:
            words = "has no such page" if status in (404, 410) else "does not show the page"
            raise UpstreamRejected(f"{host} {words} ({status}).", provider=host, status=status)
        if "content-type" in response.headers:
            media_type(response.headers)
        inflating = Inflating(response.headers, self._limits.bytes)
        while not inflating.full and (piece := await response.read()):
            inflating.feed(piece)
        body = bytes(inflating.body)
        kind = media_type(response.headers, body)
        return _Sent(url, kind, text_of(response.headers, body), inflating.full)

    async def _page(self, sent: _Sent) -> WebPage:
        title, text = "", storable_text(sent.text).strip()
        if sent.media_type in HTML:
            loop = asyncio.get_running_loop()
            read = await loop.run_in_executor(self._thread, readable, sent.text, sent.url)
            title, text = read.title, read.text
        return WebPage(
            url=sent.url,
            title=title or sent.url,
            text=text,
            truncated=sent.truncated,
        )

    def _request(self, url: str) -> HttpRequest:
        seconds = self._limits.seconds
        return HttpRequest(
            provider=_host(url),
            method="GET",
            url=url,
            headers=_ACCEPT,
            deadlines=Deadlines(
                connect=min(seconds, 5.0), headers=seconds, idle=seconds, total=seconds
            ),
            max_bytes=self._limits.bytes + (1 << 20),
            once=True,
        )


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
