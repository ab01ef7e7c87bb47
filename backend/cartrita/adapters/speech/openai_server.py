"""A server with OpenAI's audio API: how it is asked, and which of its models for what."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, Self

from cartrita.adapters.http.transport import HttpResponse
from cartrita.domain.errors import (
    CartritaError,
    EndpointMissing,
    NotOffered,
    RecordingRefused,
    UpstreamError,
    UpstreamRejected,
)
from cartrita.kit.remembered import Remembered, RememberedValues
from cartrita.kit.secret import Secret

OPENAI: Final = "openai"
_REMEMBERED_S: Final = 3600.0
"""How long what a server told of itself is believed."""


_OPTIONS: Final = ("language", "speed", "voice")
"""What a server may not know and another does."""
_UNREADABLE: Final = re.compile(
    r"corrupted or unsupported|could not be decoded|(invalid|unrecognized) file format", re.I
)
"""Words for a recording that a server cannot read."""


class ModelServer(Protocol):
    """A server that is reached as for its chats; see `Service`."""

    @property
    def name(self) -> str: ...

    @property
    def has_key(self) -> bool: ...

    @property
    def needs_key(self) -> bool: ...

    def with_key(self, key: Secret) -> Self: ...

    def post(
        self, path: str, body: bytes, content_type: str, *, patience: float
    ) -> AbstractAsyncContextManager[HttpResponse]:
        """The response to a body; `patience` is how long it may let one wait, in seconds."""
        ...

    async def model_names(self) -> list[str]:
        """The names of the models that it lists. Raises UpstreamError."""
        ...


class Task(StrEnum):
    """What a model is wanted for."""

    TRANSCRIPTION = "transcribes"
    SPEECH = "speaks"


class _Names(NamedTuple):
    """Names of models for a task.

    `usual` is what servers call theirs that list none, and `of_openai` is OpenAI's.
    """

    of_openai: str
    usual: str
    pattern: re.Pattern[str]


_NAMES: Final[Mapping[Task, _Names]] = MappingProxyType(
    {
        # whisper-1 alone tells when each word was said; the newer ones tell the text only.
        Task.TRANSCRIPTION: _Names(
            "whisper-1",
            "whisper-1",
            re.compile(r"whisper|transcri|parakeet|canary|voxtral|moonshine|\b(asr|stt)\b", re.I),
        ),
        Task.SPEECH: _Names(
            "gpt-4o-mini-tts",
            "tts-1",
            re.compile(r"\b(tts|xtts)|kokoro|orpheus|piper|chatterbox|speech", re.I),
        ),
    }
)


class ModelService:
    """A task at one server; the part of `Service` that all tasks have.

    A server may let one wait for `patience` seconds.
    """

    def __init__(
        self, server: ModelServer, *, patience: float = 60.0, known: "KnownOfServer | None" = None
    ) -> None:
        self._server = server
        self._patience = patience
        self._known = known or KnownOfServer()

    def with_key(self, key: Secret) -> Self:
        """See `Service.with_key`; what is known of the server is known of it with any key."""
        return type(self)(self._server.with_key(key), patience=self._patience, known=self._known)

    @property
    def name(self) -> str:
        """See `Service.name`: that of the provider of models at this address."""
        return self._server.name

    @property
    def has_key(self) -> bool:
        """See `Service.has_key`."""
        return self._server.has_key

    @property
    def needs_key(self) -> bool:
        """See `Service.needs_key`."""
        return self._server.needs_key

    async def test_key(self) -> None:
        """See `Service.test_key`; costs nothing."""
        await self._server.model_names()

    @asynccontextmanager
    async def answered(
        self, path: str, body: bytes, content_type: str
    ) -> AsyncGenerator[HttpResponse]:
        """A successful response. What another server may accept is NotOffered, or no endpoint."""
        posted = self._server.post(path, body, content_type, patience=self._patience)
        try:
            async with posted as response:
                yield response
        except UpstreamRejected as error:
            raise _in_other_words(error) from None


class KnownOfServer:
    """What turned out about a server: which model is for a task, and what a model cannot."""

    def __init__(self) -> None:
        self.models = RememberedValues[Task, str](_REMEMBERED_S)
        self.refused = Remembered[tuple[str, str]](_REMEMBERED_S)


def _in_other_words(error: UpstreamRejected) -> CartritaError:
    """The refusal of an endpoint, a recording or an option as what it is; any other as it was."""
    if error.status in (404, 405):
        return EndpointMissing.of(error)
    if _UNREADABLE.search(error.words):
        return RecordingRefused.of(error)
    field = error.details.get("upstream_param")
    if isinstance(field, str) and field in _OPTIONS:
        return NotOffered(error.message, fields={field: [error.words]})
    return error


async def usual_model(server: ModelServer, known: KnownOfServer, task: Task) -> str:
    """The model for a task where none is named. Raises UpstreamError if there is none.

    Of a server other than OpenAI's it is the first that it lists whose name tells that it is one.
    """
    names = _NAMES[task]
    if server.name == OPENAI:
        return names.of_openai
    found = known.models.get(task)
    if found is None:
        found = await _listed(server, task, names)
        known.models.put(task, found)
    return found


async def _listed(server: ModelServer, task: Task, names: _Names) -> str:
    try:
        listed = await server.model_names()
    except UpstreamError as error:
        if error.status in (404, 405):  # small servers have one model and list none
            return names.usual
        raise
    for name in listed:
        if names.pattern.search(name):
            return name
    raise UpstreamRejected(
        f"{server.name} lists no model that {task}: name one, as {server.name}/model.",
        provider=server.name,
        status=404,
        code="model_not_found",
    )
