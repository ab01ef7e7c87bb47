"""Where the official clients are pointed: at the scripted upstream, or at Cartrita before it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.server import KEY, Server

DIRECT = "direct"
UPSTREAMS = {
    "openai_chat": "openai",
    "openai_responses": "responses",
    "anthropic_messages": "anthropic",
}
"""The provider in Cartrita for each dialect of the upstream."""

_CONFIGURATION = """
[providers.responses]
dialect = "openai_responses"
base_url = "{base_url}"
api_key_env = "RESPONSES_KEY"
models = ["fake", "capable"]
"""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One place to send requests to.

    `root_url` has no path, `model` is what to ask there. `upstream` is the dialect that the request
    finally arrives in; for the upstream itself that of the client.
    """

    name: str
    root_url: str
    key: str
    model: str
    upstream: str

    @property
    def base_url(self) -> str:
        """The address that OpenAI's clients expect."""
        return f"{self.root_url}/v1"

    @property
    def direct(self) -> bool:
        return self.name == DIRECT


@contextmanager
def cartrita(provider: FakeProvider) -> Generator[Server]:
    """A server whose three providers are the scripted upstream, each in another dialect."""
    root = provider.base_url.removesuffix("/v1")
    with TemporaryDirectory() as folder:
        configuration = Path(folder) / "cartrita.toml"
        configuration.write_text(_CONFIGURATION.format(base_url=provider.base_url))
        settings = {
            "CARTRITA_CONFIG": str(configuration),
            "RESPONSES_KEY": provider.key,
            "OPENAI_API_KEY": provider.key,
            "ANTHROPIC_BASE_URL": root,
            "ANTHROPIC_API_KEY": provider.key,
        }
        with Server(provider_url=provider.base_url, settings=settings) as server:
            yield server


def direct(dialect: str, provider: FakeProvider, model: str = "fake") -> Target:
    """The scripted upstream itself, for a client of this dialect."""
    root = provider.base_url.removesuffix("/v1")
    return Target(name=DIRECT, root_url=root, key=provider.key, model=model, upstream=dialect)


def through(upstream: str, server: Server, model: str = "fake") -> Target:
    """Cartrita, with a model whose provider speaks this dialect."""
    url = f"http://127.0.0.1:{server.port}"
    name = f"{UPSTREAMS[upstream]}/{model}"
    return Target(name=upstream, root_url=url, key=KEY, model=name, upstream=upstream)
