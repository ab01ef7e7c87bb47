"""The addresses of endpoints under every form of base URL."""

import pytest

from cartrita.adapters.providers.addresses import PATHS, anthropic_url, endpoint_of, openai_url
from cartrita.domain.relays import Endpoint


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://h", "http://h/v1/chat/completions"),
        ("http://h:1/", "http://h:1/v1/chat/completions"),
        ("http://h/v1", "http://h/v1/chat/completions"),
        ("http://h/v1/", "http://h/v1/chat/completions"),
        ("http://h/api/openai", "http://h/api/openai/chat/completions"),
        ("http://h/v2/chat/completions", "http://h/v2/chat/completions"),
        ("http://h/v1?api-version=7", "http://h/v1/chat/completions?api-version=7"),
        ("http://h/v1/chat/completions?a=b", "http://h/v1/chat/completions?a=b"),
    ],
)
def test_openai_urls(base_url: str, url: str) -> None:
    assert openai_url(base_url, "/chat/completions") == url
    assert openai_url(base_url, "/models") == url.replace("chat/completions", "models")


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://h", "http://h/v1/messages"),
        ("http://h/", "http://h/v1/messages"),
        ("http://h/v1", "http://h/v1/messages"),
        ("http://h/anthropic", "http://h/anthropic/v1/messages"),
        ("http://h/v1/messages", "http://h/v1/messages"),
        ("http://h/api/messages/", "http://h/api/messages"),
        ("http://h/v1?beta=1", "http://h/v1/messages?beta=1"),
    ],
)
def test_anthropic_urls(base_url: str, url: str) -> None:
    assert anthropic_url(base_url, "/messages") == url
    assert anthropic_url(base_url, "/models") == url.replace("messages", "models")


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_a_base_url_may_be_an_endpoint(endpoint: Endpoint) -> None:
    assert endpoint_of(f"http://h/x{PATHS[endpoint]}") is endpoint
    assert openai_url(f"http://h/x{PATHS[endpoint]}?a=b", "/models") == "http://h/x/models?a=b"
    assert endpoint_of("http://h/v1") is None
