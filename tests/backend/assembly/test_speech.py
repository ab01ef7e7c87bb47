"""What transcribes and what speaks is made of the settings, model servers included."""

from pathlib import Path

from cartrita.adapters.http.client import HttpClient
from cartrita.assembly.providers import create_unpaid, open_providers
from cartrita.assembly.speech import SpeechServices, create_speech_services
from cartrita.settings import load

_FILE = """
[providers.whisper]
base_url = "http://127.0.0.1:9/v1"
models = ["small"]

[providers.claude]
base_url = "http://127.0.0.1:9"
dialect = "anthropic_messages"
models = ["opus"]
"""


async def services(folder: Path, **environ: str) -> SpeechServices:
    configuration = folder / "cartrita.toml"
    configuration.write_text(_FILE)
    names = {"CARTRITA_CONFIG": str(configuration), "CARTRITA_DISCOVER_LOCAL": "0"}
    settings = load(names | environ, folder)
    async with HttpClient() as http:
        providers = await open_providers(settings, http)
        present = {one.summary.name for one in providers}
        return create_speech_services(
            settings, http, [*providers, *create_unpaid(settings, http, present)]
        )


async def test_servers_with_openais_api_are_among_them(tmp_path: Path) -> None:
    made = await services(tmp_path, OPENAI_API_KEY="sk-of-a-test")
    keys = {one.name: (one.has_key, one.needs_key) for one in made.transcribers}
    assert keys["openai"] == (True, False)
    assert keys["whisper"] == (False, False)
    assert keys["huggingface"] == (False, True)
    assert "claude" not in keys
    assert "anthropic" not in keys
    assert [one.name for one in made.synthesizers] == [one.name for one in made.transcribers]


async def test_keys_for_model_servers_are_those_of_model_providers(tmp_path: Path) -> None:
    made = await services(tmp_path)
    assert [one.name for one in made.keyed] == ["deepgram"]
