"""The providers of the examples, as scripted upstreams, and a server that has all of them."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.harness.deepgram.launch import deepgram
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.oauth.tokens import CLIENT_ID, CLIENT_SECRET
from tests.harness.fake_provider.replaced_responses import Html, ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.server import NOBODY, Server

_OPENAI = ("gpt-5.4", "gpt-5.4-mini", "text-embedding-3-small")
_CLAUDE = ("claude-3-5-sonnet-20241022", "claude-opus-4-6", "claude-sonnet-4-5")
_CONFIGURATION = """
[providers.anthropic]
base_url = "{vendors}"
api_key_env = "CLAUDE_KEY"

[providers.example]
base_url = "{vendors}/v1"
api_key_env = "EXAMPLE_API_KEY"
models = ["large", "small"]
default_model = "large"

[providers.nowhere]
base_url = "{nobody}/v1"
models = ["any"]

[providers.refused]
base_url = "{vendors}/v1"
api_key_env = "REFUSED_API_KEY"
models = ["large"]

[providers.empty]
base_url = "{vendors}/v1"
api_key_env = "EXAMPLE_API_KEY"
models = ["unpaid"]

[providers.page]
base_url = "{vendors}/v1"
api_key_env = "EXAMPLE_API_KEY"
models = ["portal"]

[routes.fast]
deployments = [
  {{ model = "openai/gpt-5.4-mini", weight = 2 }},
  {{ model = "anthropic/claude-sonnet-4-5", weight = 1 }},
  "ollama/llama3.1:8b",
]
continue_with = "any"
cache_ttl_s = 60
"""


@contextmanager
def served(folder: Path) -> Generator[Server]:
    """A server in front of scripted upstreams; its configuration is written into the folder."""
    with ExitStack() as stack:

        def upstream(*models: str, comet: bool = False, oauth: bool = False) -> FakeProvider:
            manners = "comet" if comet else "vendor"
            return stack.enter_context(
                fake_provider(models=models, manners=manners, oauth=oauth, seed=3)
            )

        vendors = upstream(*_OPENAI, *_CLAUDE, "large", "small", "unpaid", "portal")
        vendors.script(Script(words=12, reasoning_words=8), model="claude-sonnet-4-5")
        vendors.script(Script(faults=(ReplacedResponse(status=402),)), model="unpaid")
        vendors.script(Script(faults=(Html(),)), model="portal")
        comet = upstream(*_CLAUDE, comet=True)
        oca = upstream("oca/gpt-4.1", "gpt-4.1", oauth=True)
        local = {
            "OLLAMA": upstream("llama3.1:8b", "qwen2.5-coder"),
            "VLLM": upstream("llama-2-13b-chat"),
            "LLAMACPP": upstream("llama-2-7b"),
        }
        hearing = stack.enter_context(deepgram())
        configuration = folder / "cartrita.toml"
        configuration.write_text(_CONFIGURATION.format(vendors=vendors.root_url, nobody=NOBODY))
        rehearsal = folder / "rehearsal.yaml"
        rehearsal.write_text("scenes: [{steps: [{text: Hello.}]}]")
        settings = {
            "CARTRITA_CONFIG": str(configuration),
            "CARTRITA_DEFAULT_MODEL": "openai/gpt-5.4",
            "CARTRITA_OFFLINE_TOKEN_DELAY_S": "0.005",
            "CARTRITA_OFFLINE_SCRIPT": str(rehearsal),
            "OPENAI_API_KEY": vendors.key,
            "CLAUDE_KEY": vendors.key,
            "EXAMPLE_API_KEY": vendors.key,
            "REFUSED_API_KEY": "sk-of-yesterday",
            "API_PROVIDER": "comet",
            "COMET_API_BASE_URL": comet.root_url,
            "ANTHROPIC_API_KEY": comet.key,
            "ANTHROPIC_MODEL": "claude-3-5-sonnet-20241022",
            "LLM_API_URL": f"{oca.base_url}/chat/completions",
            "LLM_MODEL_NAME": "oca/gpt-4.1",
            "OAUTH_TOKEN_URL": oca.token_url,
            "OAUTH_CLIENT_ID": CLIENT_ID,
            "OAUTH_CLIENT_SECRET": CLIENT_SECRET,
            **hearing.settings,
        }
        for name, provider in local.items():
            settings |= {f"{name}_BASE_URL": provider.base_url, f"{name}_API_KEY": provider.key}
        with Server(provider_url=vendors.base_url, settings=settings) as server:
            yield server
