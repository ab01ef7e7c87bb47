"""A large recording is received beside the event loop: the others have their turns."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from starlette.requests import Request
from starlette.types import Message
from tests.backend.adapters.speech.model_servers import PartialServer
from tests.harness.documents import form

from cartrita.adapters.speech.openai_transcriber import OpenAITranscriber
from cartrita.adapters.speech.recordings import RecordingBounds, SniffedRecordings
from cartrita.adapters.speech.seats import EngineSeats
from cartrita.domain.speech import Recording, TranscriptionOptions
from cartrita.surfaces.native import voice_forms
from cartrita.surfaces.native.voice_forms import TranscriptionForm
from cartrita.surfaces.recorded_forms import RecordedForm, received_recording
from cartrita.surfaces.services import SurfaceConfig

DATA = b"\0\0\0\x18ftypM4A " + bytes(8 << 20)


class Heart:
    """Beats once in each turn of the event loop."""

    def __init__(self) -> None:
        self.beats = 0

    async def beat(self) -> None:
        while True:
            self.beats += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def beating() -> AsyncGenerator[Heart]:
    heart = Heart()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(heart.beat())
        yield heart
        task.cancel()


def arriving() -> Request:
    """A form that is there already: whoever reads it waits for nothing."""
    kind, body = form(("audio", "said.m4a", DATA))
    starts = iter(range(0, len(body), 1 << 16))

    async def receive() -> Message:
        at = next(starts, len(body))
        piece = body[at : at + (1 << 16)]
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    scope = {"type": "http", "headers": [(b"content-type", kind.encode())]}
    return Request(scope, receive)


async def test_its_pieces_are_put_together_beside_the_loop() -> None:
    async with beating() as heart:
        found = await received_recording(arriving(), "audio", len(DATA))
        beats = heart.beats
    assert found.data == DATA
    assert beats >= 1


async def test_it_is_hashed_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def received_already(request: Request, field: str, most: int) -> RecordedForm:
        return RecordedForm(DATA, "said.m4a", ())

    monkeypatch.setattr(voice_forms, "received_recording", received_already)
    async with beating() as heart:
        found, _ = await voice_forms.received(arriving(), SurfaceConfig(), TranscriptionForm)
        beats = heart.beats
    assert found.sha256 == hashlib.sha256(DATA).hexdigest()
    assert beats >= 1


async def test_what_it_is_is_looked_for_beside_the_loop() -> None:
    reader = SniffedRecordings(RecordingBounds(), EngineSeats(1), None)
    async with beating() as heart:
        found = await reader.read(DATA, "said.m4a")
        beats = heart.beats
    assert found.media_type == "audio/mp4"
    assert beats >= 1


async def test_it_is_put_into_a_form_beside_the_loop() -> None:
    server = PartialServer(lambda fields: b'{"text": "Hello."}')
    recording = Recording(data=DATA, media_type="audio/mp4", duration=1.0)
    async with beating() as heart:
        await OpenAITranscriber(server).transcribe(
            recording, TranscriptionOptions(model="whisper-1")
        )
        beats = heart.beats
    assert beats >= 1
