"""The console in a real browser, by playwright, on a server whose model plays a script."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.fixtures import deepgram_server as deepgram_server
from tests.harness.langfuse_sink import langfuse_sink
from tests.harness.server import KEY, Server
from tests.harness.utterances import utterances
from tests.sdks.npm_packages import installed

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent / "console"
PROGRAMS = sorted(path.name for path in FOLDER.glob("*.test.mjs"))
_DEADLINE_S = 900


def scenes() -> list[dict[str, Any]]:
    """What the model says to which words."""
    words = [f"word{number} " for number in range(39)]
    story = [step for word in words for step in ({"text": word}, {"delay": 0.25})]
    saga = [{"text": "and then "}, {"delay": 0.1}]
    called = {"name": "calculator", "arguments": {"expression": "6*7"}}
    task = {"agent": "writer", "task": "Write a line."}
    guide = {"title": "The Guide", "url": "https://example.com/guide", "snippet": "It is known."}
    overloaded = {"message": "The provider is overloaded.", "code": "upstream_overloaded"}
    corpus: list[str] = json.loads((FOLDER / "corpus.json").read_text())["payloads"]
    return [
        {"when": "story", "steps": [*story, {"text": "word39"}]},
        {"when": "pause", "steps": [{"delay": 30.0}, {"text": "Late."}]},
        {"when": "saga", "steps": [{"repeat": {"times": 1_000, "steps": saga}}]},
        {
            "when": "calculate",
            "steps": [{"reasoning": "The calculator knows."}, {"tool_call": called}],
        },
        {"after_tool": "calculator", "steps": [{"citation": guide}, {"text": "It is **42** [1]."}]},
        {"when": "delegate", "steps": [{"tool_call": {"name": "delegate", "arguments": task}}]},
        {"after_tool": "delegate", "steps": [{"text": "The writer is done."}]},
        {"when": "Write a line", "steps": [{"text": "A line was written."}]},
        {"when": "markdown", "steps": [{"text": line} for line in _MARKDOWN.splitlines(True)]},
        {"when": "corpus", "steps": [{"text": f"{line}\n\n"} for line in corpus]},
        {"when": "fail", "steps": [{"text": "So far, so good"}, {"error": overloaded}]},
        {"when": "grows on stones", "steps": [{"text": "Moss grows there. It is soft."}]},
        {"when": "sing", "steps": [*[{"text": "La la la. "}] * 40, {"text": "The end."}]},
        {"when": "default", "steps": [{"text": "Hello."}]},
    ]


_PRICES = """
[[prices]]
provider = "offline"
model = "script"
checked = 2026-11-30
source = "made up"
input = "1"
output = "10"
"""
_MARKDOWN = """# A heading

Some *text* with `code`, a [link](https://example.com) and a list:

1. one
2. two
   - within it

> a quote

| a | b |
| - | - |
| 1 | 2 |

```python
def double(number):
    return 2 * number
```

The end.
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody speaks, and again after some seconds, in which an answer may begin."""
    path = tmp_path_factory.mktemp("recording") / "utterances.wav"
    path.write_bytes(utterances((0.5, 2.0), (7.0, 8.5), rate=48_000, rest_s=60.0))
    return path


@pytest.fixture(scope="module")
def model() -> Iterator[FakeProvider]:
    """The model that uses desktops, once in the form that its vendor trained."""
    with fake_provider(key=PROVIDER_KEY, models=["fake", "gpt-5.4"]) as running:
        yield running


@pytest.fixture(scope="module")
def server(
    deepgram_server: Deepgram, model: FakeProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    script = tmp_path_factory.mktemp("script") / "rehearsal.yaml"
    script.write_text(yaml.safe_dump({"scenes": scenes()}))
    prices = script.with_name("prices.toml")
    prices.write_text(_PRICES)
    settings = {
        "CARTRITA_LEDGER_PRICES": str(prices),
        "CARTRITA_DEFAULT_MODEL": "offline/script",
        "CARTRITA_OFFLINE_SCRIPT": str(script),
        "CARTRITA_DESKTOP_ENABLED": "1",
        "CARTRITA_DESKTOP_CONTROL_S": "600",
        "CARTRITA_TRACING_LINK": "https://traces.example/{trace_id}",
        **deepgram_server.settings,
    }
    with (
        langfuse_sink() as sink,
        Server(provider_url=model.base_url, settings=settings | sink.settings) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def node() -> str:
    return installed(FOLDER)


@pytest.mark.parametrize("program", PROGRAMS)
def test_in_a_browser(
    server: Server,
    deepgram_server: Deepgram,
    model: FakeProvider,
    recording: Path,
    node: str,
    program: str,
) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    assert browser, "chromium is missing: .ci/run installs it"
    link = next(
        word for word in server.log_path.read_text().split() if word.startswith(server.base + "/#")
    )
    given = {
        "TARGET": server.base,
        "TARGET_KEY": KEY,
        "SIGN_IN_LINK": link,
        "CHROMIUM": browser,
        "DEEPGRAM": deepgram_server.base_url,
        "MODEL_CONTROL": model.root_url,
        "UTTERANCES": str(recording),
    }
    ran = subprocess.run(
        [node, "--test", "--test-reporter=tap", program],
        cwd=FOLDER,
        env=os.environ | given,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "\n# skipped 0\n" in ran.stdout
    assert server.unexpected_errors() == []
