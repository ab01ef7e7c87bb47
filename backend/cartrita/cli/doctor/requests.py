"""Plain requests of the examinations, and when what comes of them comes."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines, HttpRequest
from cartrita.kit import json_answers
from cartrita.kit.clock import now
from cartrita.kit.secret import Secret

_MOST_BYTES = 4 << 20


class Answered(msgspec.Struct, frozen=True):
    """What a server answered, and `at` what moment of this machine's clock."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime

    def json(self) -> Any:  # noqa: ANN401 - any JSON, which the caller checks
        """The body as JSON; None if it is none."""
        try:
            return json_answers.read(self.body)
        except ValueError:
            return None


async def get(
    http: HttpClient,
    name: str,
    url: str,
    seconds: float,
    headers: Mapping[str, str | Secret] | None = None,
) -> Answered:
    """GET an address of `name`. Raises UpstreamError."""
    async with http.open(
        HttpRequest(
            provider=name,
            method="GET",
            url=url,
            headers=headers or {},
            deadlines=deadlines(seconds),
            max_bytes=_MOST_BYTES,
        )
    ) as response:
        at = now()
        pieces: list[bytes] = []
        while piece := await response.read():
            pieces.append(piece)
    return Answered(response.status, response.headers, b"".join(pieces), at)


def deadlines(seconds: float) -> Deadlines:
    """Nothing takes longer than so many seconds."""
    return Deadlines(connect=seconds, headers=seconds, idle=seconds, total=seconds)


def basic(user: str, password: Secret) -> Mapping[str, str | Secret]:
    """The header that signs in by name and password."""
    octets = base64.b64encode(f"{user}:{password.reveal()}".encode())
    return {"authorization": Secret(f"Basic {octets.decode()}")}
