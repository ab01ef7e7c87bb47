"""The older browser client speaks with the server: its voices, and what it hears."""

from base64 import b64decode

import pytest
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fixtures import Serve
from tests.journeys.older_frontend import OldClient
from tests.journeys.voice import MODEL


@pytest.fixture
def client(shared: Serve, deepgram_server: Deepgram) -> OldClient:
    """The client of a server that serves older frontends, and hears and speaks."""
    deepgram_server.reset()
    settings = {"CARTRITA_COMPAT_FRONTEND": "1", **deepgram_server.settings}
    return OldClient(shared(settings=settings))


async def test_voices(client: OldClient, deepgram_server: Deepgram) -> None:
    asked = {"text": "Moss does.", "format": "wav", "voiceSettings": {"voice": "nova", "speed": 1}}
    kind, _, audio = (await client.data("POST", "/voice/speak", asked))["audioUrl"].partition(",")
    assert kind == "data:audio/wav;base64"
    status, told = await client.upload("/voice/transcribe", ("audio", "a.wav", b64decode(audio)))
    assert (status, told["success"]) == (200, True), told
    assert told["data"]["text"] == "Moss does."
    assert 0 < told["data"]["confidence"] <= 1
    recording = deepgram_server.recording("What grows?")
    status, told = await client.upload(
        "/voice/process", ("audio", "a.wav", recording), speak="true", **MODEL
    )
    assert status == 200, told
    assert told["data"]["text"] == "What grows?"
    assert told["data"]["conversationId"] == told["conversation_id"]
    assert told["data"]["audioUrl"] == told["audio_url"]
    assert told["data"]["response"]


async def test_what_is_no_recording(client: OldClient) -> None:
    """No transcript is made up: the error has the form that is read."""
    status, told = await client.upload("/voice/transcribe", ("audio", "a.webm", b"RIFF"))
    assert (status, told["success"], told["code"]) == (415, False, "recording_type_not_accepted")
    assert isinstance(told["error"], str)
