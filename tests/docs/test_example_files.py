"""The programs below docs/examples work as their readers start them, and fail with a sentence."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import IO, Any

import pytest
import requests
from tests.docs.conftest import Shell
from tests.docs.snippets import ROOT
from tests.harness.fake_provider.client import eventually
from tests.harness.fake_provider.launch import fake_provider
from tests.harness.fake_provider.replaced_responses import Html
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import KEY, NOBODY

_EXAMPLES = ROOT / "docs" / "examples"
_WATCHDOG_S = 60
_LISTENS = re.compile(r"running on (http://\S+)")


@pytest.fixture
def nodes(gateway_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The folder of nodes, loaded as ComfyUI loads one of its custom nodes."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{gateway_shell.server.base}/v1/")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    place = _EXAMPLES / "comfyui" / "__init__.py"
    spec = importlib.util.spec_from_file_location("custom_nodes_cartrita", place)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def executed(node: Any, **inputs: Any) -> tuple[Any, ...]:
    """What a node gives for these inputs and the first or default choice of all others."""
    chosen = {name: default(declared) for name, declared in node.INPUT_TYPES()["required"].items()}
    assert inputs.keys() <= chosen.keys()
    return getattr(node(), node.FUNCTION)(**chosen | inputs)


def default(declared: Any) -> Any:
    """What the form of ComfyUI has in it before anybody changes it."""
    kind, options = (*declared, {})[:2]
    if "default" in options:
        assert isinstance(kind, str) or options["default"] in kind
        return options["default"]
    return kind[0]


def test_every_node_has_the_interface_of_comfyui(nodes: ModuleType) -> None:
    assert nodes.NODE_CLASS_MAPPINGS.keys() == nodes.NODE_DISPLAY_NAME_MAPPINGS.keys()
    for node in nodes.NODE_CLASS_MAPPINGS.values():
        assert callable(getattr(node, node.FUNCTION))
        assert node.CATEGORY
        texts = executed(node, **{next(iter(node.INPUT_TYPES()["required"])): "A lighthouse"})
        assert len(texts) == len(node.RETURN_TYPES)
        assert all(isinstance(text, str) and text for text in texts)


def test_nodes_offer_the_models_of_the_server(nodes: ModuleType) -> None:
    offered = nodes.AITextGenerator.INPUT_TYPES()["required"]["model"][0]
    assert {"auto", "ollama/llama3.1:8b", "offline/assistant"} <= set(offered)
    text = executed(nodes.AITextGenerator, prompt="A lighthouse", model="offline/assistant")[0]
    assert "offline assistant" in text


def test_the_style_and_the_prompt_reach_the_model(
    nodes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_provider(models=["chat"]) as upstream:
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", upstream.key)
        executed(nodes.AIPromptEnhancer, base_prompt="A lighthouse", style="cinematic")
        (asked,) = [json.loads(each.body) for each in upstream.requests()]
    assert "in a cinematic style" in asked["messages"][0]["content"]
    assert asked["messages"][1] == {"role": "user", "content": "A lighthouse"}
    assert asked["max_tokens"] == 200


def test_a_node_shows_what_the_server_says(nodes: ModuleType) -> None:
    with pytest.raises(RuntimeError, match=r"There is no model no-such-model\. Nearest: "):
        executed(nodes.AITextGenerator, prompt="Hello", model="no-such-model")


def test_a_node_shows_what_another_api_of_the_server_says(
    nodes: ModuleType, gateway_shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{gateway_shell.server.base}/api")
    with pytest.raises(RuntimeError, match="There is nothing at this address"):
        nodes.answered([{"role": "user", "content": "Hello"}], model="chat")


def test_a_node_says_that_nobody_answers(
    nodes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{NOBODY}/v1")
    assert "chat" in nodes.AITextGenerator.INPUT_TYPES()["required"]["model"][0]
    with pytest.raises(RuntimeError, match="start it, or correct OPENAI_BASE_URL"):
        executed(nodes.AITextGenerator, prompt="Hello")


def test_a_node_says_that_it_got_a_web_page(
    nodes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_provider(models=["chat"]) as upstream:
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", upstream.key)
        with pytest.raises(RuntimeError, match="is no Cartrita server"):
            executed(nodes.AITextGenerator, prompt=directive(Script(faults=(Html(),))))


@contextmanager
def service(base_url: str, key: str = KEY) -> Generator[str]:
    """The FastAPI service in front of a server; its address."""
    command = [sys.executable, "-m", "uvicorn", "fastapi_service:app", "--port", "0"]
    command += ["--no-access-log", "--app-dir", str(_EXAMPLES)]
    known = {**os.environ, "OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": key}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, env=known, stderr=log) as process,
    ):
        try:
            eventually(lambda: process.poll() is not None or _LISTENS.search(text(log)) is not None)
            listens = _LISTENS.search(text(log))
            assert listens, text(log)
            yield listens[1]
        finally:
            process.terminate()
            process.wait(_WATCHDOG_S)


def text(file: IO[bytes]) -> str:
    return os.pread(file.fileno(), 100_000, 0).decode()


@pytest.fixture(scope="module")
def served(gateway_shell: Shell) -> Generator[str]:
    with service(f"{gateway_shell.server.base}/v1") as base:
        yield base


def post(url: str, **body: Any) -> requests.Response:
    return requests.post(url, json=body, timeout=_WATCHDOG_S)


def test_the_service_answers_pages_that_have_no_key(served: str) -> None:
    context = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}]
    told = post(
        f"{served}/api/chat", message="Explain Docker", model="llama3.1:8b", context=context
    )
    assert told.status_code == 200
    assert told.json()["response"]
    assert told.json()["model_used"] == "llama3.1:8b"
    code = post(f"{served}/api/code", task="sort an array", language="rust").json()
    assert code["code"]
    assert code["language"] == "rust"
    listed = requests.get(f"{served}/api/models", timeout=_WATCHDOG_S).json()["models"]
    assert {"chat", "offline/assistant"} <= set(listed)


def test_the_service_streams(served: str) -> None:
    whole = post(f"{served}/api/chat", message="Hello", model="offline/assistant")
    streamed = post(f"{served}/api/chat/stream", message="Hello", model="offline/assistant")
    assert streamed.headers["content-type"] == "text/plain; charset=utf-8"
    assert streamed.text == whole.json()["response"]


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
def test_the_service_passes_refusals_on(served: str, path: str) -> None:
    refused = post(served + path, message="Hello", model="no-such-model")
    assert refused.status_code == 404
    assert refused.json()["code"] == "model_not_found"
    assert "There is no model no-such-model" in refused.json()["detail"]


def test_the_service_passes_on_when_to_come_back(gateway_shell: Shell) -> None:
    scopes = {"requests_per_minute": 1}
    made = requests.post(
        f"{gateway_shell.server.base}/api/keys",
        headers={"X-API-Key": KEY},
        json={"name": "of the service", "scopes": scopes},
        timeout=_WATCHDOG_S,
    ).json()
    with service(f"{gateway_shell.server.base}/v1", made["key"]) as base:
        assert post(f"{base}/api/chat", message="Hello", model="offline/assistant").ok
        refused = post(f"{base}/api/chat", message="Hello", model="offline/assistant")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60


def test_the_service_hides_its_own_troubles_with_keys_and_servers(gateway_shell: Shell) -> None:
    with service(f"{gateway_shell.server.base}/v1", "ck_of_nobody") as base:
        assert post(f"{base}/api/chat", message="Hello").status_code == 502
    with service(f"{NOBODY}/v1") as base:
        away = post(f"{base}/api/chat", message="Hello")
    assert away.status_code == 503
    assert away.json()["code"] == "unavailable"


def test_the_service_ends_the_call_of_a_reader_who_leaves() -> None:
    slow = directive(Script(words=10_000, between_tokens_s=0.05))
    with fake_provider() as upstream, service(upstream.base_url, upstream.key) as base:
        asked = {"message": slow, "model": "fake"}
        with requests.post(
            f"{base}/api/chat/stream", json=asked, stream=True, timeout=_WATCHDOG_S
        ) as response:
            words = response.iter_content(None)
            assert next(words)
            assert upstream.open_streams() == 1
        eventually(lambda: upstream.open_streams() == 0)
        assert [each.outcome for each in upstream.requests()] == ["disconnected"]


def checked(shell: Shell, *models: str, **known: str) -> "subprocess.CompletedProcess[str]":
    """What the script that checks an integration says of a server."""
    return subprocess.run(
        ["sh", str(_EXAMPLES / "test_integration.sh"), *models],
        env={"PATH": os.environ["PATH"], "URL": shell.server.base, "KEY": KEY, **known},
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * _WATCHDOG_S,
    )


def test_the_script_finds_nothing_wrong_with_a_server_without_providers(shell: Shell) -> None:
    done = checked(shell)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("ok      ") == 8
    assert done.stdout.endswith("Everything works.\n")


def test_the_script_asks_the_models_that_it_is_told(gateway_shell: Shell) -> None:
    done = checked(gateway_shell, "llama3.1:8b", "qwen-coder")
    assert done.returncode == 0, done.stdout
    assert "ok      llama3.1:8b answers" in done.stdout
    assert "ok      qwen-coder writes code" in done.stdout


def test_the_script_tells_what_fails_and_goes_on(gateway_shell: Shell) -> None:
    done = checked(gateway_shell, "empty/unpaid")
    assert done.returncode == 1
    assert "FAILED  empty/unpaid answers" in done.stdout
    assert "out of credit" in done.stdout
    assert "ok      an unknown model is refused" in done.stdout
    assert done.stdout.endswith("2 checks failed.\n")


@pytest.mark.parametrize(
    ("known", "what", "why"),
    [
        ({"URL": NOBODY}, "the server is up", "connect"),
        ({"KEY": "ck_of_nobody"}, "the key holds", "not valid"),
    ],
)
def test_the_script_ends_where_nothing_else_can_work(
    known: dict[str, str], what: str, why: str, shell: Shell
) -> None:
    done = checked(shell, **known)
    assert done.returncode == 1
    assert f"FAILED  {what}" in done.stdout
    assert why in done.stdout
    assert done.stdout.count("FAILED") == 1
