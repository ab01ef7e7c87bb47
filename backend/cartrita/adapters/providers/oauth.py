"""Access tokens by OAuth 2 client credentials (RFC 6749, section 4.4), as a credential.

A `TokenSource` fetches the tokens of one client; all providers of that client share it. It asks
the token endpoint once for all who wait, renews a token before it expires while the old one still
serves the others, and leaves an endpoint that failed alone for a while.
"""

import asyncio
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from random import Random
from typing import Literal, TypeAlias
from urllib.parse import quote_plus, urlencode

import msgspec

from cartrita.adapters.http.transport import Deadlines, HttpRequest, Transport
from cartrita.adapters.providers.credentials import sent_tokens
from cartrita.adapters.providers.token_responses import AccessToken, TokenFailure, parse_token
from cartrita.domain.errors import UpstreamError
from cartrita.kit.secret import Secret

ClientAuth: TypeAlias = Literal["basic", "body"]
"""Where the client's id and secret are sent: in the `Authorization` header, or in the form."""

_DEADLINES = Deadlines(connect=5.0, headers=15.0, idle=10.0, total=20.0)
_MAX_BYTES = 256 << 10
_AHEAD_SECONDS, _AHEAD_SHARE = 60.0, 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_FORCED_INTERVAL = 30.0
_SERVED_INTERVAL = 1.0
"""The same where the token has served: it was revoked, unless one call is refused among others."""
_MOST_REPLACED = 8
"""So many tokens that were replaced are still masked, while they are valid."""


class OAuthClient(msgspec.Struct, frozen=True, kw_only=True):
    """A client of a token endpoint.

    Without `client_auth` the header is tried first, and the form if the endpoint does not know the
    client from the header.
    """

    token_url: str
    client_id: str
    client_secret: Secret
    scope: str = ""
    client_auth: ClientAuth | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tokens belong to: endpoint, client and scope."""
        return self.token_url, self.client_id, self.scope


class TokenSource:
    """The tokens of one client. `clock` is in seconds, from any start."""

    def __init__(
        self,
        client: OAuthClient,
        transport: Transport,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> None:
        self._client = client
        self._transport = transport
        self._clock = clock
        self._rng = rng or Random()  # noqa: S311 - jitter needs no secure randomness
        self._auth: ClientAuth = client.client_auth or "basic"
        self._lock = asyncio.Lock()
        self._token: AccessToken | None = None
        self._expires_at = self._renew_at = 0.0
        self._replaced: deque[tuple[Secret, float]] = deque(maxlen=_MOST_REPLACED)
        self._failure: TokenFailure | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._forced_at: float | None = None
        self._interval = _SERVED_INTERVAL

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The client's secret, the token if there is one, and those before it that are valid."""
        token = (self._token.value,) if self._token else ()
        now = self._clock()
        replaced = (value for value, expires_at in self._replaced if now < expires_at)
        return (self._client.client_secret, *token, *replaced)

    async def token(self, provider: str) -> Secret:
        """A token that is valid now. Raises UpstreamError of `provider` if none can be had."""
        if (token := self._usable()) is not None and (
            self._clock() < self._renew_at or self._lock.locked()
        ):
            return token
        async with self._lock:
            if self._token is None or self._clock() >= self._renew_at:
                await self._renew(provider)
        if (token := self._usable()) is not None:
            return token
        failure = self._failure or TokenFailure.expired()
        raise failure.error(provider, retry_after=max(self._retry_at - self._clock(), 0.0) or None)

    def discard(self, refused: Secret, *, served: bool = False) -> bool:
        """Forget a token that the service refused; False if a new one would not help.

        A token that was itself fetched for this reason a moment ago stays, because the service
        refuses the client and not a token. One that has `served` may be replaced sooner, but each
        time later than the last: the service may refuse the client for some models only.
        """
        if self._token is None or self._token.value != refused:
            return True  # somebody else has discarded it already
        now = self._clock()
        since = inf if self._forced_at is None else now - self._forced_at
        if since < (self._interval if served else _FORCED_INTERVAL):
            return False
        lately = since < 2 * _FORCED_INTERVAL
        self._interval = min(2 * self._interval, _FORCED_INTERVAL) if lately else _SERVED_INTERVAL
        self._forced_at = now
        self._replace(None)
        return True

    def _usable(self) -> Secret | None:
        if self._token is None or self._clock() >= self._expires_at:
            return None
        return self._token.value

    async def _renew(self, provider: str) -> None:
        """Fetch a token unless the endpoint is left alone; keep what comes, or why none came."""
        if self._failure is not None and self._clock() < self._retry_at:
            return
        outcome = await self._fetch(provider)
        now = self._clock()
        if isinstance(outcome, TokenFailure):
            self._failure = outcome
            pause = min(_FIRST_PAUSE * 2 ** min(self._failures, 10), _LONGEST_PAUSE)
            self._failures += 1
            self._retry_at = now + max(pause * self._rng.uniform(0.5, 1.0), outcome.retry_after)
            return
        self._replace(outcome)
        self._failure, self._failures = None, 0
        ahead = min(_AHEAD_SECONDS, outcome.lifetime * _AHEAD_SHARE)
        self._expires_at, self._renew_at = now + outcome.lifetime, now + outcome.lifetime - ahead

    def _replace(self, token: AccessToken | None) -> None:
        if self._token is not None:
            self._replaced.append((self._token.value, self._expires_at))
        self._token = token

    async def _fetch(self, provider: str) -> AccessToken | TokenFailure:
        outcome = await self._ask(provider, self._auth)
        unknown = isinstance(outcome, TokenFailure) and outcome.unknown_client
        if not unknown or self._client.client_auth or self._auth == "body":
            return outcome
        second = await self._ask(provider, "body")
        if isinstance(second, AccessToken):
            self._auth = "body"
            return second
        return outcome

    async def _ask(self, provider: str, auth: ClientAuth) -> AccessToken | TokenFailure:
        request = self._request(provider, auth)
        secrets = (self._client.client_secret, *sent_tokens(request.headers))
        try:
            async with self._transport.open(request) as response:
                body = b""
                while piece := await response.read():
                    body += piece
                return parse_token(response.status, body, response.headers, secrets)
        except UpstreamError as error:
            return TokenFailure.of(error)

    def _request(self, provider: str, auth: ClientAuth) -> HttpRequest:
        client = self._client
        form = {"grant_type": "client_credentials"} | (
            {"scope": client.scope} if client.scope else {}
        )
        headers: dict[str, str | Secret] = {
            "Accept": "application/json",
            "Connection": "close",  # the next request comes when a kept one has long been closed
            "Content-Type": "application/x-www-form-urlencoded",
        }
        secret = client.client_secret.reveal()
        if auth == "basic":  # both parts are form-encoded first: RFC 6749, section 2.3.1
            pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = Secret(f"Basic {b64encode(pair.encode()).decode()}")
        else:
            form |= {"client_id": client.client_id, "client_secret": secret}
        return HttpRequest(
            provider=f"the token endpoint of {provider}",
            method="POST",
            url=client.token_url,
            headers=headers,
            body=urlencode(form).encode(),
            deadlines=_DEADLINES,
            max_bytes=_MAX_BYTES,
        )


class OAuthBearer:
    """The credential of one provider: the current token of a source, as a Bearer."""

    def __init__(self, provider: str, source: TokenSource) -> None:
        self._provider = provider
        self._source = source
        self._accepted: str | Secret | None = None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """See `Credential.secrets`."""
        return self._source.secrets

    async def headers(self) -> dict[str, Secret]:
        """The `Authorization` header. Raises UpstreamError if there is no token."""
        token = await self._source.token(self._provider)
        return {"Authorization": Secret(f"Bearer {token.reveal()}")}

    def discard(self, refused: Mapping[str, str | Secret]) -> bool:
        """See `Credential.discard`."""
        header = refused.get("Authorization")
        value = header.reveal() if isinstance(header, Secret) else ""
        token = Secret(value.removeprefix("Bearer "))
        return self._source.discard(token, served=header == self._accepted)

    def accepted(self, sent: Mapping[str, str | Secret]) -> None:
        """See `Credential.accepted`."""
        self._accepted = sent.get("Authorization")
