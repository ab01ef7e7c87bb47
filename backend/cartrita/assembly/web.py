"""The pages of the web that agents read."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.public_addresses import AddressRule
from cartrita.adapters.web.pages import PageLimits, PageReader
from cartrita.domain.ports.web import WebPages
from cartrita.settings import Settings


@asynccontextmanager
async def open_web_pages(settings: Settings) -> AsyncGenerator[WebPages]:
    """Pages by these settings, by a client of their own that calls public addresses only."""
    config = settings.web
    async with HttpClient(check=AddressRule(config.private_hosts)) as http:
        pages = PageReader(http, PageLimits(seconds=config.timeout_s, bytes=config.page_max_bytes))
        try:
            yield pages
        finally:
            pages.close()
