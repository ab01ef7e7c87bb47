"""A page of another origin than the server's uses the client in a real browser."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.browser.chromium import Page, chromium
from tests.browser.tcp_proxy import tcp_proxy
from tests.docs.snippets import of
from tests.harness.fake_provider.content import expected_text
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import KEY, Server
from tests.typescript import package
from tests.typescript.package import PACKAGE, PROGRAMS
from tests.typescript.test_documents import configuration_text

pytestmark = pytest.mark.slow

_PAGE = """<!doctype html><title>A page</title>
<script type="importmap">{"imports": {"@cartrita/client": "/client/index.js"}}</script>
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@pytest.fixture(scope="module")
def site(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page: the client, and programs that import it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text(_PAGE)
    (folder / "client").symlink_to(PACKAGE / "dist")
    package.compiled(node, PROGRAMS, folder / "programs")
    return folder


@contextmanager
def served(folder: Path) -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as files:
        thread = threading.Thread(target=files.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{files.server_address[1]}"
        finally:
            files.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def origin(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.fixture(scope="module")
def server(provider: FakeProvider, origin: str) -> Iterator[Server]:
    settings = {"CARTRITA_CORS_ORIGINS": origin}
    with Server(provider_url=provider.base_url, settings=settings) as running:
        yield running


@pytest.fixture
def page(tmp_path: Path, origin: str, server: Server) -> Iterator[Page]:
    with chromium(tmp_path) as opened:
        opened.go(origin + "/index.html")
        yield opened


def test_a_session_streams_uploads_and_lives(
    page: Page, server: Server, provider: FakeProvider
) -> None:
    message = f"Tell me more. {directive(Script(words=60, between_tokens_s=0.05))}"
    text = expected_text(Script(words=60, between_tokens_s=0.05), message, provider.seed)
    with tcp_proxy(server.port) as proxy:
        given = f"{{base: '{proxy.base}', key: '{KEY}', message: {message!r}}}"
        page.run(f"window.given = {given}; import('/programs/in_a_page.js').then(() => true)")
        page.wait("window.seen?.tokens > 3")
        proxy.cut()
        proxy.restore()
        page.wait("window.seen.ended")
        seen = page.run("window.seen")
    assert "failed" not in seen, seen
    assert seen["text"] == text
    assert seen["live"] == text
    assert seen["progress"][-1]["sent"] == seen["progress"][-1]["total"] > 1_000_000
    assert seen["refused"] == "NotFoundError"
    assert seen["unreachable"] == "UnreachableError"


def test_what_the_page_shows_of_browsers(
    page: Page, server: Server, node: str, site: Path, tmp_path: Path
) -> None:
    [block] = [each for each in of("ts") if each.mark == "<!-- browser -->"]
    shown = block.code.replace("http://127.0.0.1:8000", server.base).replace("ck_your_key", KEY)
    source = tmp_path / "source"
    source.mkdir()
    (source / "shown.ts").write_text(shown + "source.addEventListener('open', () => {});\n")
    (source / "package.json").write_text('{"type": "module"}')
    (source / "tsconfig.json").write_text(configuration_text())
    package.compiled(node, source, site / "shown")
    page.run("import('/shown/shown.js').then(() => true)")
    page.wait("document.body.textContent.length > 10")
