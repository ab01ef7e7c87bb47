"""No request chooses where a provider is called, nor with which headers (SECURITY, test 4)."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.security.cells import Asked, Route, all_routes, ask
from tests.security.owners import Asking
from tests.security.rules import Access

CALLER = Asking("local", {"X-API-Key": KEY})
EVIL = "X-Evil-Header"


class Listener:
    """A server that nobody should find; `heard` counts who did."""

    def __init__(self) -> None:
        self.heard = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def hear(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += 1
        writer.close()


@asynccontextmanager
async def listening() -> AsyncGenerator[Listener]:
    listener = Listener()
    server = await asyncio.start_server(listener.hear, "127.0.0.1", 0)
    async with server:
        listener.port = server.sockets[0].getsockname()[1]
        yield listener


_ASKING = (Access.CALLERS, Access.ADMINS, Access.OPERATORS)


def asking_routes() -> list[Route]:
    """Every route that takes a body and names nothing that is stored: all that call providers."""
    return [
        one
        for one in all_routes()
        if one.rule.body is not None and one.rule.access in _ASKING and not one.parameters
    ]


def poison(url: str) -> Mapping[str, Any]:
    """Fields by which clients and gateways of others say where to call, and how."""
    headers = {EVIL: "heard", "Authorization": "Bearer of-another"}
    target = {"base_url": url, "api_base": url, "api_key": "sk-of-another", "headers": headers}
    return {
        **dict.fromkeys(("base_url", "baseUrl", "baseURL", "api_base", "apiBase", "api_url"), url),
        **dict.fromkeys(
            ("url", "endpoint", "host", "server", "azure_endpoint", "provider_url"), url
        ),
        **dict.fromkeys(("proxy", "https_proxy", "webhook", "callback_url", "vertex_project"), url),
        **dict.fromkeys(("extra_headers", "extraHeaders", "headers", "default_headers"), headers),
        **dict.fromkeys(("extra_body", "extra_query", "litellm_params", "model_info"), target),
        **dict.fromkeys(("client", "credentials", "provider_options", "config"), target),
        "custom_llm_provider": "custom_openai",
        "fallbacks": [target],
        "model_list": [{"model_name": "fake", "litellm_params": target}],
        "metadata": {"base_url": url},
        "api_key": "sk-of-another",
        "proxies": {"http": url, "https": url},
        "organization": url,
        "api_version": url,
    }


def bodies(body: Mapping[str, Any], url: str) -> list[Mapping[str, Any]]:
    """The body with each of the fields, with all of them, and with addresses as names."""
    fields = poison(url)
    each = [{**body, name: value} for name, value in fields.items()]
    named = [{**body, "model": name} for name in (url, f"openai/{url}", f"custom/{url}/fake")]
    named += [{**body, "provider": name} for name in (url, "custom_openai", f"openai@{url}")]
    return [*each, {**body, **fields}, *named]


def aside(route: Route, url: str) -> list[Asked]:
    """The same in the query and in headers."""
    names = ("base_url", "api_base", "endpoint", "proxy")
    query = "&".join(f"{name}={quote(url, safe='')}" for name in names)
    headers = {
        **dict.fromkeys(
            ("X-Base-URL", "X-API-Base", "OpenAI-Base-Url", "Helicone-Target-URL"), url
        ),
        EVIL: "heard",
        "Proxy": url,
    }
    host = {"X-Forwarded-Host": url.split("/")[2]}
    return [
        Asked(route.method, f"{route.path}?{query}", body=route.rule.body),
        *(Asked(route.method, route.path, more, route.rule.body) for more in (headers, host)),
    ]


@pytest.mark.parametrize("route", asking_routes(), ids=lambda route: route.name)
async def test_a_listener_hears_nothing(route: Route, scenario: Scenario) -> None:
    known = scenario.provider.begun()
    path = route.path.replace("{name}", "openai")
    async with listening() as listener:
        asked = [
            Asked(route.method, path, body=body)
            for body in bodies(route.rule.body or {}, listener.url)
        ]
        asked += aside(Route(route.method, path, route.name), listener.url)
        statuses = [(await ask(scenario, CALLER, one)).status for one in asked]
        assert listener.heard == 0
    assert not [status for status in statuses if status >= 500]
    for one in scenario.provider.requests(known):
        names = {name.lower() for name, _ in one.headers}
        assert EVIL.lower() not in names
        assert "sk-of-another" not in json.dumps(one.headers)
        assert "of-another" not in (one.header("authorization") or "")


async def test_an_event_source_names_no_address_either(scenario: Scenario) -> None:
    async with listening() as listener:
        for name, value in poison(listener.url).items():
            text = value if isinstance(value, str) else json.dumps(value)
            query = f"message=x&provider=openai&model=fake&{name}={quote(text, safe='')}"
            told = await ask(scenario, CALLER, Asked("GET", f"/api/chat/stream?{query}"))
            assert told.status == (400 if name == "api_key" else 200), name
        assert listener.heard == 0


async def test_the_listener_would_hear() -> None:
    async with listening() as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.close()
        await writer.wait_closed()
        assert listener.heard == 1


def test_the_routes_that_call_providers_are_among_them() -> None:
    assert {
        "post_chat",
        "stream_chat",
        "post_huggingface_chat",
        "post_code",
        "create_chat_completion",
        "create_response",
        "create_anthropic_message",
        "count_anthropic_tokens",
        "create_embedding",
        "check_provider",
        "exchange_credential",
    } <= {route.name for route in asking_routes()}
