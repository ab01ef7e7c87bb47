"""The table says what WIRE says, and an entry becomes a provider that can be called."""

import pytest
from tests.harness.fake_provider.launch import FakeProvider

from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.http import Http
from cartrita.adapters.providers.openai_like import OpenAILike
from cartrita.adapters.providers.table import PROVIDERS, connect, entry
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import ModelRequest, Sampling
from cartrita.kit.secret import Secret


def test_its_names_and_addresses() -> None:
    assert {name: known.base_url for name, known in PROVIDERS.items()} == {
        "openai": "https://api.openai.com/v1",
        "huggingface": "https://router.huggingface.co/v1",
        "ollama": "http://127.0.0.1:11434/v1",
        "lmstudio": "http://127.0.0.1:1234/v1",
        "llamacpp": "http://127.0.0.1:8080/v1",
        "vllm": "http://127.0.0.1:8000/v1",
        "litellm": "http://127.0.0.1:4000/v1",
    }
    assert all(name == known.name for name, known in PROVIDERS.items())
    assert {name for name, known in PROVIDERS.items() if not known.local} == {
        "openai",
        "huggingface",
    }


def test_a_host_of_ones_own() -> None:
    own = entry("own", "http://h/v1")
    assert (own.name, own.base_url, own.local) == ("own", "http://h/v1", False)
    assert entry("openai") is PROVIDERS["openai"]


async def test_a_connected_entry_speaks_its_variant(fake: FakeProvider, http: Http) -> None:
    request = ModelRequest(
        owner_id="o",
        model="fake",
        messages=(Message(Role.USER, (Text("Hi"),)),),
        sampling=Sampling(max_tokens=5),
    )
    for name, field in (("openai", "max_completion_tokens"), ("ollama", "max_tokens")):
        provider = connect(entry(name), http, base_url=fake.base_url, key=Secret(fake.key))
        async with provider.stream(request) as deltas:
            assert [delta async for delta in deltas]
        assert f'"{field}":5' in fake.requests()[-1].body
        assert provider.name == name


async def test_without_a_key_nothing_is_sent_for_one(fake: FakeProvider, http: Http) -> None:
    provider = connect(entry("ollama"), http, base_url=fake.base_url, models=("a",))
    assert isinstance(provider, OpenAILike)
    assert [model.id for model in await provider.models()] == ["ollama/a"]


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "schlüssel", "a\0"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        Bearer(Secret(key))


async def test_blanks_around_a_key_are_not_part_of_it() -> None:
    bearer = Bearer(Secret(" sk-1\n"))
    assert (await bearer.headers())["Authorization"].reveal() == "Bearer sk-1"
    assert "sk-1" not in repr(await bearer.headers())
