"""Checks whether a collector of OpenTelemetry is reached, and takes traces with these headers."""

from typing import Final

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import HttpRequest
from cartrita.adapters.tracing.collector_fixes import FIXES
from cartrita.adapters.tracing.pages import is_page
from cartrita.adapters.tracing.policies import Collector
from cartrita.cli.doctor.findings import Finding, ok, problem, warning
from cartrita.cli.doctor.requests import deadlines
from cartrita.domain.errors import UpstreamError
from cartrita.kit.secret import Secret
from cartrita.settings.tracing import Otlp

_NAME: Final = "collector"
_NOTHING: Final = b""
"""A request of OTLP that holds no traces."""


async def examine_collector(config: Otlp, http: HttpClient, seconds: float) -> list[Finding]:
    """Send it no traces as traces are sent; nothing where none is set."""
    if config.endpoint is None:
        return []
    collector = Collector(address=config.endpoint, headers=config.headers)
    try:
        status, page = await _answer(collector, http, seconds)
    except UpstreamError as error:
        return [problem(_NAME, error.message, FIXES[0])]
    if page and 200 <= status < 300:
        return [problem(_NAME, f"{collector.url} answers with a web page.", FIXES["malformed"])]
    if 200 <= status < 300:
        return [ok(_NAME, f"{collector.url} takes traces.")]
    told = f"{collector.url} answers {status} to a request without traces."
    if status == 400:
        fix = "It may take others: `traces_not_taken` in the log tells if it does not."
        return [warning(_NAME, told, fix)]
    return [problem(_NAME, told, FIXES.get(status, FIXES[0]))]


async def _answer(collector: Collector, http: HttpClient, seconds: float) -> tuple[int, bool]:
    """The status of its answer, and whether that is a web page."""
    request = HttpRequest(
        provider="the collector",
        method="POST",
        url=collector.url,
        headers={
            **{name: Secret(value) for name, value in collector.fields.items()},
            "content-type": "application/x-protobuf",
        },
        body=_NOTHING,
        deadlines=deadlines(seconds),
    )
    async with http.open(request) as response:
        return response.status, is_page(response.headers)
