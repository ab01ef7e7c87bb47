"""The table of known providers: names, addresses and rows for custom providers."""

from cartrita.adapters.providers.factory import CONSTRUCTORS
from cartrita.adapters.providers.registry import LOCAL_PORTS, PROVIDERS, provider_spec


def test_names_and_addresses() -> None:
    documented = {name: spec.base_url for name, spec in PROVIDERS.items() if spec.documented}
    assert documented == {
        "openai": "https://api.openai.com/v1",
        "huggingface": "https://router.huggingface.co/v1",
        "ollama": "http://127.0.0.1:11434/v1",
        "lmstudio": "http://127.0.0.1:1234/v1",
        "llamacpp": "http://127.0.0.1:8080/v1",
        "vllm": "http://127.0.0.1:8000/v1",
        "litellm": "http://127.0.0.1:4000/v1",
    }
    assert all(name == spec.name for name, spec in PROVIDERS.items())
    assert {name for name, spec in PROVIDERS.items() if spec.local} == set(LOCAL_PORTS)


def test_documented_providers_have_an_implemented_dialect() -> None:
    documented = [spec for spec in PROVIDERS.values() if spec.documented]
    assert {spec.dialect for spec in documented} == set(CONSTRUCTORS)
    assert all(spec.base_url for spec in documented)


def test_a_custom_provider() -> None:
    custom = provider_spec("my-host", "http://h/v1")
    assert (custom.name, custom.base_url, custom.local) == ("my-host", "http://h/v1", False)
    assert (custom.dialect, custom.key_variables) == ("openai_chat", ("MY_HOST_API_KEY",))
    assert provider_spec("openai") is PROVIDERS["openai"]
