"""Tokens by client credentials, from a scripted token endpoint and for a scripted service."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from urllib.parse import parse_qs

import msgspec
import pytest
from tests.backend.adapters.http.servers import answer, serving

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.oauth import OAuthBearer, OAuthClient, TokenSource
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamUnreachable,
)
from cartrita.domain.requests import ModelRequest
from cartrita.kit.secret import Secret

CLIENT_SECRET = "client-s3cret/+"
JSON = b"Content-Type: application/json\r\nConnection: close"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class TokenEndpoint:
    """Answers with what `replies` holds, and then with new tokens; records the requests."""

    def __init__(self) -> None:
        self.replies: list[bytes] = []
        self.requests: list[tuple[dict[str, str], dict[str, str]]] = []
        self.expires_in: float | None = 3600
        self.asked = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.requests.append((headers, form))
        number = len(self.requests)
        self.asked.set()
        await self.free.wait()
        token = {"access_token": f"token-{number:02}", "token_type": "Bearer"}
        if self.expires_in is not None:
            token["expires_in"] = self.expires_in  # pyright: ignore[reportArgumentType]
        writer.write(
            self.replies.pop(0) if self.replies else answer(json.dumps(token).encode(), JSON)
        )
        await writer.drain()

    def fail(self, status: bytes, error: str, times: int = 1, description: str = "") -> None:
        body = json.dumps({"error": error, "error_description": description}).encode()
        self.replies += [answer(body, JSON, status=status)] * times


@pytest.fixture
async def endpoint() -> AsyncIterator[TokenEndpoint]:
    one = TokenEndpoint()
    async with serving(one.handle) as url:
        one.url = url
        yield one


Make = Callable[..., TokenSource]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(endpoint: TokenEndpoint, http: HttpClient, clock: Clock) -> Make:
    def made(**fields: str) -> TokenSource:
        client = OAuthClient(
            token_url=endpoint.url, client_id="id", client_secret=Secret(CLIENT_SECRET)
        )
        changed = msgspec.structs.replace(client, **fields)
        return TokenSource(changed, http, clock=clock, rng=Random(1))

    return made


async def failing(source: TokenSource) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await source.token("oca")
    assert caught.value.provider == "oca"
    assert CLIENT_SECRET not in caught.value.message + repr(caught.value.details)
    return caught.value


async def test_a_token_is_fetched_once_for_all_who_wait(
    endpoint: TokenEndpoint, make: Make
) -> None:
    source = make(scope="read write")
    tokens = await asyncio.gather(*[source.token("oca") for _ in range(50)])
    assert {token.reveal() for token in tokens} == {"token-01"}
    ((headers, form),) = endpoint.requests
    assert form == {"grant_type": "client_credentials", "scope": "read write"}
    basic = b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    assert basic == "id:client-s3cret%2F%2B"
    assert headers["content-type"] == "application/x-www-form-urlencoded"


async def test_a_waiter_who_leaves_takes_nothing_from_the_others(
    endpoint: TokenEndpoint, make: Make
) -> None:
    endpoint.free.clear()
    source = make()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(source.token("oca"))
        await endpoint.asked.wait()
        second = group.create_task(source.token("oca"))
        await asyncio.sleep(0)
        first.cancel()
        endpoint.free.set()
    assert second.result().reveal().startswith("token-")


@pytest.mark.parametrize(("lifetime", "ahead"), [(3600, 60), (100, 10), (None, 60)])
async def test_a_token_is_renewed_ahead_of_its_end(
    endpoint: TokenEndpoint, make: Make, clock: Clock, lifetime: float | None, ahead: float
) -> None:
    endpoint.expires_in = lifetime
    source = make()
    await source.token("oca")
    clock.now += (lifetime or 600) - ahead - 1
    assert (await source.token("oca")).reveal() == "token-01"
    clock.now += 2
    assert (await source.token("oca")).reveal() == "token-02"


async def test_the_old_token_serves_while_a_new_one_is_fetched(
    endpoint: TokenEndpoint, make: Make, clock: Clock
) -> None:
    source = make()
    await source.token("oca")
    clock.now += 3550
    endpoint.asked.clear()
    endpoint.free.clear()
    async with asyncio.TaskGroup() as group:
        renewing = group.create_task(source.token("oca"))
        await endpoint.asked.wait()
        assert (await source.token("oca")).reveal() == "token-01"
        endpoint.free.set()
    assert renewing.result().reveal() == "token-02"


async def test_the_old_token_serves_while_the_endpoint_fails(
    endpoint: TokenEndpoint, make: Make, clock: Clock
) -> None:
    source = make()
    await source.token("oca")
    endpoint.fail(b"503 Busy", "", times=9)
    clock.now += 3550
    assert (await source.token("oca")).reveal() == "token-01"
    assert (await source.token("oca")).reveal() == "token-01"
    assert len(endpoint.requests) == 2
    clock.now += 60
    assert type(await failing(source)) is UpstreamOverloaded


async def test_an_endpoint_that_fails_is_left_alone_for_longer_and_longer(
    endpoint: TokenEndpoint, make: Make, clock: Clock
) -> None:
    endpoint.fail(b"500 Oops", "", times=99)
    source = make()
    pauses: list[float] = []
    for _ in range(12):
        error = await failing(source)
        assert error.retryable
        asked = len(endpoint.requests)
        await asyncio.gather(*[failing(source) for _ in range(10)])
        assert len(endpoint.requests) == asked
        assert error.retry_after is not None
        pauses.append(error.retry_after)
        clock.now += error.retry_after + 0.001
    assert pauses[0] <= 1
    assert pauses[0] < pauses[4] < pauses[-1] <= 60


async def test_a_client_that_the_header_does_not_identify_is_sent_in_the_form(
    endpoint: TokenEndpoint, make: Make, clock: Clock
) -> None:
    endpoint.fail(b"401 Unauthorized", "invalid_client")
    source = make()
    assert (await source.token("oca")).reveal() == "token-02"
    _, form = endpoint.requests[-1]
    assert (form["client_id"], form["client_secret"]) == ("id", CLIENT_SECRET)
    assert "authorization" not in endpoint.requests[-1][0]
    clock.now += 4000
    await source.token("oca")
    assert "client_secret" in endpoint.requests[-1][1]
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize("auth", ["basic", "body"])
async def test_a_chosen_way_is_the_only_one(endpoint: TokenEndpoint, make: Make, auth: str) -> None:
    endpoint.fail(b"401 Unauthorized", "invalid_client", times=2)
    error = await failing(make(client_auth=auth))
    assert type(error) is UpstreamAuth
    assert len(endpoint.requests) == 1
    assert ("client_secret" in endpoint.requests[0][1]) == (auth == "body")


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (b"401 No", "invalid_client", UpstreamAuth, "does not know the client"),
        (b"400 No", "unauthorized_client", UpstreamAuth, "does not allow this client"),
        (b"400 No", "invalid_scope", UpstreamAuth, "does not grant the scope"),
        (b"400 No", "unsupported_grant_type", UpstreamAuth, "does not issue"),
        (b"200 OK", "invalid_grant", UpstreamAuth, "refused the client's"),
        (b"418 No", "Tea!", UpstreamAuth, "refused the client (418)"),
        (b"400 No", "temporarily_unavailable", UpstreamOverloaded, "not available"),
        (b"503 No", "x", UpstreamOverloaded, "overloaded or failing (503)"),
    ],
)
async def test_refusals(
    endpoint: TokenEndpoint,
    make: Make,
    status: bytes,
    code: str,
    kind: type[UpstreamError],
    words: str,
) -> None:
    endpoint.fail(status, code, times=2, description=f"No {CLIENT_SECRET}")
    error = await failing(make())
    assert type(error) is kind
    assert error.message.startswith("The token endpoint of oca ")
    assert words in error.message


async def test_a_refusal_does_not_show_what_identified_the_client(
    endpoint: TokenEndpoint, make: Make
) -> None:
    sent = b64encode(b"id:client-s3cret%2F%2B").decode()
    endpoint.fail(b"400 No", "invalid_scope", description=f"No scope for {sent}.")
    assert (await failing(make())).message.endswith("it says: No scope for ***. (invalid_scope).")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(b"<html>", b"Content-Type: text/html"), "web page"),
        (answer(b"  <!doctype html>"), "web page"),
        (answer(b"", b"Location: http://127.0.0.1:1/", status=b"302 Found"), "redirect"),
        (answer(b"nonsense", JSON), "not JSON"),
        (answer(b"[]", JSON), "not JSON"),
        (answer(b"{}", JSON), "usable access_token"),
        (answer(b'{"access_token": "a b"}', JSON), "usable access_token"),
        (answer(b"x" * 300_000, JSON), "bytes"),
    ],
)
async def test_responses_that_are_no_token(
    endpoint: TokenEndpoint, make: Make, reply: bytes, words: str
) -> None:
    endpoint.replies = [reply]
    error = await failing(make())
    assert type(error) is UpstreamMalformed
    assert words in error.message


@pytest.mark.parametrize(
    ("value", "lifetime"),
    [('"120"', 120), ("-5", 600), ('"soon"', 600), ("null", 600), ("[]", 600)],
)
async def test_lifetimes(
    endpoint: TokenEndpoint, make: Make, clock: Clock, value: str, lifetime: float
) -> None:
    body = f'{{"access_token": "a", "expires_in": {value}}}'.encode()
    endpoint.replies = [answer(body, JSON)]
    source = make()
    await source.token("oca")
    clock.now += lifetime * 0.9 - 1
    assert (await source.token("oca")).reveal() == "a"
    clock.now += lifetime * 0.1
    assert (await source.token("oca")).reveal() == "token-02"


async def test_an_endpoint_that_nobody_reaches(make: Make) -> None:
    error = await failing(make(token_url="http://127.0.0.1:1/token"))
    assert type(error) is UpstreamUnreachable
    assert error.message == (
        "The token endpoint of oca cannot be reached: it refused the connection."
    )


class Service:
    """A model server that accepts only the tokens in `valid`."""

    def __init__(self) -> None:
        self.valid: set[str] = set()
        self.seen: list[str] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        token = head.split("Bearer ")[1].split("\r\n")[0]
        self.seen.append(token)
        models = answer(b'{"data": [{"id": "m"}]}', JSON)
        said = json.dumps({"error": f"{token} is bad"}).encode()
        refusal = answer(said, JSON, status=b"401 No")
        writer.write(models if token in self.valid else refusal)
        await writer.drain()


@asynccontextmanager
async def provider_of(
    service: Service, source: TokenSource, http: HttpClient
) -> AsyncGenerator[OpenAICompatible]:
    async with serving(service.handle) as url:
        yield OpenAICompatible(
            ProviderConnection(
                name="oca", base_url=url, transport=http, credential=OAuthBearer("oca", source)
            )
        )


async def test_a_refused_token_is_replaced_once(
    endpoint: TokenEndpoint, make: Make, http: HttpClient
) -> None:
    service = Service()
    service.valid = {"token-02"}
    async with provider_of(service, make(), http) as provider:
        models = await provider.models()
    assert [model.id for model in models] == ["oca/m"]
    assert service.seen == ["token-01", "token-02"]
    assert len(endpoint.requests) == 2


async def test_many_refused_at_once_replace_the_token_once(
    endpoint: TokenEndpoint, make: Make, http: HttpClient
) -> None:
    service = Service()
    service.valid = {"token-02"}
    async with provider_of(service, make(), http) as provider:
        await asyncio.gather(*[provider.models() for _ in range(20)])
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(("pause", "tokens"), [(2.5, 4), (1.5, 3), (0.4, 2)])
async def test_a_token_that_served_is_replaced_as_often_as_it_is_revoked(
    endpoint: TokenEndpoint, make: Make, http: HttpClient, clock: Clock, pause: float, tokens: int
) -> None:
    """Where one call is refused among others, the token endpoint is not asked for each."""
    service = Service()
    async with provider_of(service, make(), http) as provider:
        for number in (2, 3, 4):
            service.valid = {f"token-{number:02}"}
            with suppress(UpstreamAuth):
                await provider.models()
            clock.now += pause
    assert len(endpoint.requests) == tokens


async def test_a_service_that_refuses_every_token(
    endpoint: TokenEndpoint, make: Make, http: HttpClient
) -> None:
    service = Service()
    async with provider_of(service, make(), http) as provider:
        for _ in range(3):
            with pytest.raises(UpstreamAuth) as caught:
                await provider.models()
            assert "token-02" not in caught.value.message
    assert len(endpoint.requests) == 2
    assert service.seen == ["token-01", "token-02", "token-02", "token-02"]


class Repeating(Service):
    """Answers each request with an error that repeats its token, once it may."""

    def __init__(self, head: bytes, error: str) -> None:
        super().__init__()
        self._head = head
        self._error = error
        self.asked = asyncio.Event()
        self.free = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        token = (await reader.readuntil(b"\r\n\r\n")).decode().split("Bearer ")[1].split()[0]
        self.seen.append(token)
        self.asked.set()
        await self.free.wait()
        writer.write(self._head + self._error.replace("TOKEN", token).encode())
        await writer.drain()


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
FAILED = b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
ERROR = '{"error": {"message": "refused Authorization=TOKEN", "type": "server_error"}}'


@pytest.mark.parametrize("renewed", [False, True], ids=["first token", "renewed meanwhile"])
@pytest.mark.parametrize(
    ("head", "error"),
    [(STREAM, f"data: {ERROR}\n\n"), (WHOLE, ERROR), (FAILED, ERROR)],
    ids=["event", "whole answer", "status"],
)
async def test_no_error_shows_the_token_that_was_sent(
    head: bytes,
    error: str,
    endpoint: TokenEndpoint,
    make: Make,
    http: HttpClient,
    clock: Clock,
    *,
    renewed: bool,
) -> None:
    service, source = Repeating(head, error), make()
    request = ModelRequest(owner_id="o", model="m", messages=())

    async def ask(provider: OpenAICompatible) -> str:
        with pytest.raises(UpstreamError) as caught:
            async with provider.stream(request) as deltas:
                _ = [delta async for delta in deltas]
        return caught.value.message

    async with provider_of(service, source, http) as provider, asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ask(provider))
        await service.asked.wait()
        for _ in range(9 if renewed else 0):
            clock.now += 4000
            await source.token("oca")
        service.free.set()
    assert service.seen == ["token-01"]
    assert asking.result().endswith("refused Authorization=***")


async def test_tokens_that_were_replaced_are_masked_while_they_are_valid(
    endpoint: TokenEndpoint, make: Make, clock: Clock
) -> None:
    source = make()
    first = await source.token("oca")
    clock.now += 3550
    second = await source.token("oca")
    assert source.secrets == (Secret(CLIENT_SECRET), second, first)
    assert source.discard(second)
    assert source.secrets == (Secret(CLIENT_SECRET), first, second)
    clock.now += 60
    assert source.secrets == (Secret(CLIENT_SECRET), second)


async def test_a_header_without_our_token_is_nothing_to_discard(make: Make) -> None:
    source = make()
    credential = OAuthBearer("oca", source)
    await source.token("oca")
    assert credential.discard({})
    assert Secret("token-01") in credential.secrets
