"""A service with a JSON API: how it is reached, asked, and what its answers are read as."""

from collections.abc import Callable, Mapping
from typing import Final, cast
from urllib.parse import urlencode

import msgspec

from cartrita.adapters.http.bodies import error_body, whole_body
from cartrita.adapters.http.transport import Deadlines, HttpRequest, HttpResponse, Transport
from cartrita.dialects.upstream_errors import WEB_PAGE, WRONG_ADDRESS, wrong_address
from cartrita.domain.errors import UpstreamError, UpstreamMalformed
from cartrita.domain.json import JsonObject
from cartrita.kit import json_answers
from cartrita.kit.secret import Secret

_NO_HEADERS: Final[Mapping[str, str | Secret]] = {}
_NOTHING = Secret("")


class Reply(msgspec.Struct, frozen=True):
    """A response that is no success; `secrets` are what no error may show of it."""

    provider: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    secrets: tuple[Secret, ...]


class ServiceAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service is, by which key it is called, if any, and its bounds."""

    base_url: str
    transport: Transport
    key: Secret = _NOTHING
    timeout: float = 15.0
    max_bytes: int = 4 << 20

    def with_key(self, key: Secret) -> "ServiceAddress":
        """The same with another key."""
        return msgspec.structs.replace(self, key=key)


class JsonService:
    """Asks one service; `error_of` makes the error of a response that is no success."""

    def __init__(
        self, name: str, address: ServiceAddress, error_of: Callable[[Reply], UpstreamError]
    ) -> None:
        self._name = name
        self._address = address
        self._error_of = error_of

    async def get(
        self,
        path: str,
        query: Mapping[str, str | int],
        headers: Mapping[str, str | Secret] = _NO_HEADERS,
    ) -> JsonObject:
        """The object that is answered. Raises UpstreamError."""
        asked = f"{path}?{urlencode(query)}" if query else path
        return await self._ask("GET", asked, headers, b"")

    async def post(
        self, path: str, body: JsonObject, headers: Mapping[str, str | Secret] = _NO_HEADERS
    ) -> JsonObject:
        """The object that is answered. Raises UpstreamError."""
        typed = {**headers, "Content-Type": "application/json"}
        return await self._ask("POST", path, typed, msgspec.json.encode(body))

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str | Secret], body: bytes
    ) -> JsonObject:
        address = self._address
        timeout = address.timeout
        request = HttpRequest(
            provider=self._name,
            method="POST" if method == "POST" else "GET",
            url=address.base_url.rstrip("/") + path,
            headers=headers,
            body=body,
            deadlines=Deadlines(
                connect=min(timeout, 5.0), headers=timeout, idle=timeout, total=timeout
            ),
            max_bytes=address.max_bytes,
            once=True,
        )
        async with address.transport.open(request) as response:
            if 200 <= response.status < 300:
                return self._object(response, await whole_body(response))
            raise self._error(response, await error_body(response))

    def _object(self, response: HttpResponse, body: bytes) -> JsonObject:
        if "html" in response.headers.get("content-type", "").lower():
            raise self._malformed(response, f"{WEB_PAGE}. Check its base URL", WRONG_ADDRESS)
        try:
            value = json_answers.read(body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise self._malformed(response, "something that is no JSON object")
        return cast("JsonObject", value)

    def _malformed(
        self, response: HttpResponse, what: str, code: str | None = None
    ) -> UpstreamMalformed:
        name, status = self._name, response.status
        return UpstreamMalformed(
            f"{name} answered with {what}.", provider=name, status=status, code=code
        )

    def _error(self, response: HttpResponse, body: bytes) -> UpstreamError:
        key = self._address.key
        secrets = (key,) if key else ()
        reply = Reply(self._name, response.status, response.headers, body, secrets)
        return wrong_address(self._name, response.status, body) or self._error_of(reply)
