"""Servers like OpenAI's that have a part of its audio API, as the adapter asks them."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec
from tests.harness.fake_provider.http import Request
from tests.harness.fake_provider.openai_audio import forms

from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.json import JsonObject
from cartrita.kit.secret import Secret

Answer = Callable[[list[tuple[str, str]]], bytes]


class Arrived:
    """A response that has arrived."""

    status = 200

    def __init__(self, body: bytes, content_type: str) -> None:
        self.headers: Mapping[str, str] = {"content-type": content_type}
        self._body = body

    async def read(self) -> bytes:
        body, self._body = self._body, b""
        return body


class PartialServer:
    """Answers forms as a test wants; `asked` has the fields of each, `paths` where it went."""

    has_key = needs_key = False

    def __init__(self, answer: Answer, models: Sequence[str] = (), name: str = "whisper") -> None:
        self.name = name
        self.asked: list[list[tuple[str, str]]] = []
        self.paths: list[str] = []
        self.listings = 0
        self._answer = answer
        self._models = models

    def with_key(self, key: Secret) -> "PartialServer":
        return self

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, content_type: str, *, patience: float
    ) -> AsyncGenerator[Arrived]:
        self.paths.append(path)
        if path in ("/audio/transcriptions", "/audio/translations"):
            request = Request("POST", path, [("content-type", content_type)], body)
            fields = forms.read(request).fields
            answer, kind = self._answered(fields), "application/json"
        else:
            given = msgspec.json.decode(body, type=JsonObject)
            fields = [(name, str(value)) for name, value in given.items()]
            answer, kind = self._answered(fields), "audio/mpeg"
        yield Arrived(answer, kind if answer[:1] != b"{" else "application/json")

    async def model_names(self) -> list[str]:
        self.listings += 1
        if not self._models:
            raise UpstreamRejected("no such page", provider=self.name, status=404)
        return list(self._models)

    def _answered(self, fields: list[tuple[str, str]]) -> bytes:
        self.asked.append(fields)
        return self._answer(fields)


def rejecting(said: str, status: int = 400, param: str = "") -> UpstreamRejected:
    """What such a server says of what it does not take."""
    error = UpstreamRejected(
        f"whisper did not accept the request ({status}): {said}",
        provider="whisper",
        status=status,
        details={"upstream_param": param},
    )
    error.words = said
    return error
