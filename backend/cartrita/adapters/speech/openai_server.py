"""A server with OpenAI's audio API: how it is asked, and which of its models for what."""

import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, Self

from cartrita.adapters.http.transport import HttpResponse
from cartrita.domain.errors import UpstreamError, UpstreamRejected
from cartrita.kit.remembered import Remembered, RememberedValues
from cartrita.kit.secret import Secret

_REMEMBERED_S: Final = 3600.0
"""How long what a server told of itself is believed."""


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


class KnownOfServer:
    """What turned out about a server: which model is for a task, and what a model cannot."""

    def __init__(self) -> None:
        self.models = RememberedValues[Task, str](_REMEMBERED_S)
        self.refused = Remembered[tuple[str, str]](_REMEMBERED_S)


async def usual_model(server: ModelServer, known: KnownOfServer, task: Task) -> str:
    """The model for a task where none is named. Raises UpstreamError if there is none.

    Of a server other than OpenAI's it is the first that it lists whose name tells that it is one.
    """
    names = _NAMES[task]
    if server.name == "openai":
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
