"""LangChain's suites have an environment of their own; elsewhere they are not collected."""

import base64
from importlib.util import find_spec
from typing import Any

import pytest
from tests.sdks import targets
from tests.sdks.targets import DIRECT, UPSTREAMS, Target

collect_ignore_glob = [] if find_spec("langchain_tests") else ["*.py"]

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
_DOCUMENT = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class _Download:
    def __init__(self, content: bytes) -> None:
        self.content = content


def pytest_configure(config: pytest.Config) -> None:
    """Know the marks that the suites carry for plugins that are not loaded."""
    for mark in ("benchmark", "vcr"):
        config.addinivalue_line("markers", f"{mark}: of a plugin that LangChain uses")


@pytest.fixture(params=[DIRECT, *UPSTREAMS])
def target(request: pytest.FixtureRequest, provider: Any) -> Target:
    """The same as for the official clients, of a model that does what a prompt asks for."""
    if request.param == DIRECT:
        return targets.direct(request.module.DIALECT, provider, "capable")
    return targets.through(request.param, request.getfixturevalue("server"), "capable")


@pytest.fixture(scope="session", autouse=True)
async def shared_loop(anyio_backend: str) -> None:
    """All tests run on one event loop, since the clients keep connections beyond a test."""


@pytest.fixture(autouse=True)
def downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's pictures and documents come from here, not from the network."""

    def get(url: str, **_: object) -> _Download:
        return _Download(_DOCUMENT if url.endswith(".pdf") else _PIXEL)

    monkeypatch.setattr("langchain_tests.integration_tests.chat_models.httpx.get", get)


@pytest.fixture
def benchmark() -> None:
    """Stands in for a plugin: its test skips itself without recordings."""


@pytest.fixture
def vcr() -> None:
    """Stands in for a plugin: its test skips itself without recordings."""
