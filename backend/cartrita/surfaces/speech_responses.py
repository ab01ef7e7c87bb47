"""Responses of speech, which is sent as it is made."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cartrita.application.voice.speeches import BegunSpeech
from cartrita.domain.errors import CartritaError
from cartrita.domain.speech import AudioFormat
from cartrita.surfaces.disconnects import UntilDisconnect
from cartrita.surfaces.upstream_headers import PROVIDER_HEADER

log = structlog.get_logger(__name__)


class SpeechResponse(Response):
    """Speaks once it is sent: what fails before the first audio is an error like any other.

    What fails after that cuts the connection, and a disconnect ends the speech. `told` are headers
    beside those of the speech.
    """

    def __init__(
        self,
        opening: AbstractAsyncContextManager[BegunSpeech],
        told: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__()
        self._opening = opening
        self._told = dict(told)
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the speech. Raises CartritaError where it has not begun, and ClientDisconnect."""
        try:
            await self._speak(receive, send)
        except CartritaError as error:
            if not self._begun:
                raise
            # Nothing more is sent: the server closes the connection of a response without an end.
            log.warning("speech_cut", path=scope["path"], code=error.code)

    async def _speak(self, receive: Receive, send: Send) -> None:
        async with UntilDisconnect(receive), self._opening as speech:
            headers = Headers({**_headers(speech), **self._told}).raw
            self._begun = True
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for piece in speech.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _headers(speech: BegunSpeech) -> dict[str, str]:
    media_type = speech.format.media_type
    if speech.format is AudioFormat.PCM and speech.sample_rate is not None:
        media_type += f"; rate={speech.sample_rate}"
    return {
        "Content-Type": media_type,
        "Cache-Control": "no-store",
        PROVIDER_HEADER: speech.engine.partition("/")[0],
    }
