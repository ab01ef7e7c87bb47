"""What is said in any language is written down in English, by whoever translates."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import KEY, Server

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
"""OpenAI's SDK says it of the whole endpoint, as its model whisper-1 is to end."""
TALK = ("talk.wav", sounds.wav(sounds.tone(2.0)))
SAID = "What grows on stones?"
SCRIPT = directive(Script(text=SAID))


@pytest.fixture(scope="module")
def speaking(provider: FakeProvider, deepgram_server: Deepgram) -> Iterator[Server]:
    """A server with a key of Deepgram, which is preferred, and of an OpenAI."""
    with Server(provider_url=provider.base_url, settings=deepgram_server.settings) as server:
        yield server


@pytest.fixture
def client(speaking: Server) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{speaking.base}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def test_the_usual_one_leaves_it_to_one_that_translates(
    client: Any, deepgram_server: Deepgram
) -> None:
    deepgram_server.reset()
    answer = client.audio.translations.with_raw_response.create(
        file=TALK, model="cartrita", prompt=SCRIPT
    )
    assert answer.parse().text == SAID
    assert answer.headers["x-cartrita-provider"] == "openai"
    assert deepgram_server.exchanges() == []


def test_one_that_is_named_says_who_translates(client: Any) -> None:
    with pytest.raises(openai.BadRequestError) as told:
        client.audio.translations.create(file=TALK, model="deepgram/nova-3")
    assert (told.value.param, told.value.code) == ("model", "not_offered")
    assert "embedded/faster-whisper" in told.value.message
    with pytest.raises(openai.NotFoundError) as missing:
        client.audio.translations.create(file=TALK, model="whisper-9")
    assert missing.value.code == "model_not_found"


def test_what_only_transcriptions_have_is_ignored(client: Any, provider: FakeProvider) -> None:
    since = provider.begun()
    told = client.audio.translations.create(
        file=TALK,
        model="whisper-1",
        prompt=SCRIPT,
        response_format="verbose_json",
        extra_body={"language": "de", "stream": "true", "timestamp_granularities[]": "word"},
    )
    assert (told.text, told.language) == (SAID, "english")
    # Others ask this provider, too: runs of earlier tests go on.
    [asked] = [one for one in provider.requests(since) if one.path.startswith("/v1/audio/")]
    assert asked.path == "/v1/audio/translations"
    assert 'name="language"' not in asked.body
