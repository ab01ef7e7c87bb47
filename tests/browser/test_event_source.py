"""A browser's EventSource is cut mid-answer, and ends with exactly the text in the database."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import anyio
import asyncpg
import pytest
from tests.browser.chromium import Page, chromium
from tests.browser.tcp_proxy import tcp_proxy
from tests.docs.snippets import of
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script
from tests.harness.server import KEY, Server

pytestmark = pytest.mark.slow

_OFF_S = 5.0
_PLAIN = """
window.seen = {text: "", ids: [], opened: 0, ended: null, broken: 0};
const source = new EventSource(ADDRESS);
source.onopen = () => { seen.opened += 1; };
source.onerror = () => { seen.broken += 1; };
source.onmessage = ({data, lastEventId}) => {
  const frame = JSON.parse(data);
  seen.ids.push(lastEventId);
  if (frame.event === "token") seen.text += frame.data.delta;
  if (frame.event === "done" || frame.event === "error") { seen.ended = frame; source.close(); }
};
true
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider(key="sk-of-the-fake-provider") as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    with Server(provider_url=provider.base_url, workers=2) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh_scripts(provider: FakeProvider) -> None:
    provider.reset()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with chromium(tmp_path) as opened:
        yield opened


async def stored(server: Server, message: str) -> list[str]:
    """The texts of the answers to a message, as the database has them."""
    connection = await asyncpg.connect(server.dsn)
    try:
        rows = await connection.fetch(
            "SELECT a.parts FROM messages a JOIN messages q ON q.id = a.parent_id"
            " WHERE a.role = 'assistant' AND q.parts::text LIKE '%' || $1 || '%'",
            message,
        )
    finally:
        await connection.close()
    return ["".join(part["text"] for part in json.loads(row["parts"])) for row in rows]


async def runs_of(server: Server) -> int:
    connection = await asyncpg.connect(server.dsn)
    try:
        return await connection.fetchval("SELECT count(*) FROM runs")
    finally:
        await connection.close()


def sign_in(page: Page, base: str) -> None:
    """As a page of the server's own would: a key once, a cookie from then on."""
    page.go(base + "/")
    headers = json.dumps({"X-API-Key": KEY})
    status = page.run(
        f"fetch('/api/session', {{method: 'POST', headers: {headers}}}).then(a => a.status)"
    )
    assert status == 200


@pytest.mark.parametrize(
    ("words", "meanwhile"),
    [(240, "goes on while nobody reads"), (80, "ends while nobody reads")],
    ids=["still running", "ended meanwhile"],
)
async def test_it_reconnects_by_itself_and_misses_nothing(
    server: Server, provider: FakeProvider, page: Page, words: int, meanwhile: str
) -> None:
    provider.script(Script(words=words, between_tokens_s=0.05))
    before = await runs_of(server)
    message = f"An answer that {meanwhile}"
    with tcp_proxy(server.port) as proxy:
        sign_in(page, proxy.base)
        address = "/api/chat/stream?" + urlencode({"message": message})
        page.run(_PLAIN.replace("ADDRESS", json.dumps(address)))
        page.wait("seen.ids.length > 5")
        proxy.cut()
        await anyio.sleep(_OFF_S)  # the outage itself, no synchronisation
        assert page.run("seen.ended") is None
        proxy.restore()
        page.wait("seen.ended !== null")
        seen = page.run("seen")
    assert seen["ended"]["event"] == "done"
    assert seen["opened"] == 2
    assert seen["broken"] >= 1
    assert [seen["text"]] == await stored(server, message)
    assert seen["text"] == seen["ended"]["data"]["final_response"]
    assert await runs_of(server) == before + 1
    numbers = [int(each.rpartition(".")[2]) for each in seen["ids"]]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_the_page_in_the_readme_works(
    server: Server, provider: FakeProvider, page: Page
) -> None:
    (snippet,) = of("html")
    markup, _, script = snippet.code.partition("<script>")
    provider.script(Script(words=100, between_tokens_s=0.02))
    with tcp_proxy(server.port) as proxy:
        page.go(proxy.base + "/")
        # The console's policy takes no text as markup, so its one element is made.
        assert markup.strip() == '<p id="answer"></p>'
        page.run("document.body.replaceChildren(document.createElement('p')); true")
        page.run("document.body.firstChild.id = 'answer'; true")
        page.run(script.partition("</script>")[0] + "; true")
        page.run(f"ask({json.dumps(KEY)}, 'What the README shows').then(() => true)")
        page.wait("answer.textContent.length > 20")
        proxy.cut()
        proxy.restore()
        [text] = await eventually_stored(server, "What the README shows")
        page.wait(f"answer.textContent === {json.dumps(text)}")


async def eventually_stored(server: Server, message: str) -> list[str]:
    deadline = time.monotonic() + 120
    while not (texts := await stored(server, message)):
        assert time.monotonic() < deadline
    return texts
