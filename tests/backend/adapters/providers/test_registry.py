"""The table of known providers: names, addresses and rows for custom providers."""

from typing import get_args

from msgspec.structs import replace

from cartrita.adapters.providers.factory import CONSTRUCTORS
from cartrita.adapters.providers.registry import LOCAL_PORTS, PROVIDERS, Dialect, provider_spec
from cartrita.domain.relays import DIALECTS


def test_names_and_addresses() -> None:
    assert {name: spec.base_url for name, spec in PROVIDERS.items()} == {
        "openai": "https://api.openai.com/v1",
        "anthropic": "https://api.anthropic.com",
        "comet": "https://api.cometapi.com",
        "huggingface": "https://router.huggingface.co/v1",
        "oca": "",
        "ollama": "http://127.0.0.1:11434/v1",
        "lmstudio": "http://127.0.0.1:1234/v1",
        "llamacpp": "http://127.0.0.1:8080/v1",
        "vllm": "http://127.0.0.1:8000/v1",
        "litellm": "http://127.0.0.1:4000/v1",
    }
    assert all(name == spec.name for name, spec in PROVIDERS.items())
    assert {name for name, spec in PROVIDERS.items() if spec.local} == set(LOCAL_PORTS)


def test_every_dialect_has_an_implementation() -> None:
    assert {spec.dialect for spec in PROVIDERS.values()} < set(CONSTRUCTORS)
    assert set(CONSTRUCTORS) == set(get_args(Dialect)) == set(DIALECTS.values())


def test_where_keys_are_sent() -> None:
    assert {name for name, spec in PROVIDERS.items() if not spec.bearer} == {"anthropic"}
    custom = replace(provider_spec("my-host"), dialect="anthropic_messages")
    assert not custom.bearer


def test_a_custom_provider() -> None:
    custom = provider_spec("my-host", "http://h/v1")
    assert (custom.name, custom.base_url, custom.local) == ("my-host", "http://h/v1", False)
    assert (custom.dialect, custom.key_variables) == ("openai_chat", ("MY_HOST_API_KEY",))
    assert provider_spec("openai") is PROVIDERS["openai"]
