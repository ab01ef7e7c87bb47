"""Whoever has only keys of providers asks, streams and reads with them."""

import pytest
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.server import KEY, Server

from cartrita_client import CartritaApiClient, kinds


def test_a_providers_key_goes_with_what_calls_it_and_says_who_calls(server: Server) -> None:
    with CartritaApiClient(server.base, provider_keys={"openai": PROVIDER_KEY}) as client:
        stream = client.stream_chat(message="Hello.", provider="openai", model="fake")
        assert stream.final().final_response
        assert client.get_run(stream.run_id).status == "completed"
        assert list(client.get_run_events(stream.run_id, after=1))
        with client.live() as session:
            run = session.chat("Hello.", provider="openai", model="fake")
            assert run.final().final_response


def test_another_providers_key_is_not_sent_for_it(server: Server) -> None:
    keys = {"openai": "sk-nobodys-0123456789abcdef"}
    with CartritaApiClient(server.base, KEY, provider_keys=keys) as client:
        assert client.post_chat(message="Hello.", provider="offline", model="script").response
        assert client.get_me().owner_id == "local"
        with pytest.raises(kinds.Unauthenticated):
            client.post_chat(message="Hello.", provider="openai", model="fake")
