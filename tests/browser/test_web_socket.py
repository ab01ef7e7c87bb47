"""A page holds a WebSocket and loses the network twice; its outbox and the server's log agree."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import asyncpg
import pytest
from tests.browser.chromium import Page, chromium
from tests.browser.tcp_proxy import tcp_proxy
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script
from tests.harness.server import KEY, Server

pytestmark = pytest.mark.slow

_OFF_S = 2.0
_MESSAGES = 6
_CLIENT = """
window.seen = {opened: 0, closed: [], runs: {}, outbox: [], accepted: {}, errors: []};
let socket;
const runOf = run_id => (seen.runs[run_id] ??= {seq: 0, text: "", ended: null});
const sendNow = frame => { if (socket?.readyState === 1) socket.send(JSON.stringify(frame)); };
const connect = () => {
  socket = new WebSocket(`ws://${location.host}/ws/chat`);
  socket.onopen = () => {
    seen.opened += 1;
    for (const [run_id, run] of Object.entries(seen.runs))
      if (!run.ended) sendNow({type: "resume", run_id, after: run.seq});
    seen.outbox.forEach(sendNow);
  };
  socket.onclose = ({code}) => { seen.closed.push(code); setTimeout(connect, 200); };
  socket.onmessage = ({data}) => {
    const frame = JSON.parse(data);
    if (frame.type === "accepted") {
      seen.accepted[frame.client_msg_id] = frame.run_id;
      runOf(frame.run_id);
      seen.outbox = seen.outbox.filter(kept => kept.client_msg_id !== frame.client_msg_id);
    } else if (frame.event) {
      const run = runOf(frame.run_id);
      if (!frame.seq || frame.seq <= run.seq) return;
      if (frame.seq !== run.seq + 1) run.gap = true;
      run.seq = frame.seq;
      if (frame.event === "token") run.text += frame.data.delta;
      if (frame.event === "done" || frame.event === "error") run.ended = frame;
    } else seen.errors.push(frame);
  };
};
window.say = (client_msg_id, message) => {
  const frame = {type: "chat", message, client_msg_id};
  seen.outbox.push(frame);
  sendNow(frame);
};
connect();
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


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with chromium(tmp_path) as opened:
        yield opened


def sign_in(page: Page, base: str) -> None:
    page.go(base + "/")
    headers = json.dumps({"X-API-Key": KEY})
    status = page.run(
        f"fetch('/api/session', {{method: 'POST', headers: {headers}}}).then(a => a.status)"
    )
    assert status == 200


async def stored(server: Server) -> dict[str, tuple[str, str]]:
    """The run and the answer to each message, by client_msg_id, in the order of the log."""
    connection = await asyncpg.connect(server.dsn)
    try:
        rows = await connection.fetch(
            "SELECT r.client_msg_id, r.id, m.parts FROM runs r JOIN messages m"
            " ON m.id = r.message_id ORDER BY r.queue_no"
        )
    finally:
        await connection.close()
    return {
        row["client_msg_id"]: (
            f"run_{row['id'].hex}",
            "".join(part["text"] for part in json.loads(row["parts"])),
        )
        for row in rows
    }


async def test_outbox_and_log_agree(server: Server, provider: FakeProvider, page: Page) -> None:
    provider.script(Script(words=60, between_tokens_s=0.05))
    names = [f"out-{number}" for number in range(_MESSAGES)]
    with tcp_proxy(server.port) as proxy:
        sign_in(page, proxy.base)
        page.run(_CLIENT)
        page.wait("seen.opened === 1")
        connections = 1
        for number, name in enumerate(names):
            page.run(f"say({json.dumps(name)}, 'Message {number}.'), true")
            if number in (1, 3):
                page.wait(f"Object.values(seen.runs).filter(run => run.seq).length > {number // 2}")
                proxy.cut()
                connections += 1
                page.run(f"say('{name}-again', 'While nobody listens, {number}.'), true")
                await anyio.sleep(_OFF_S)  # the outage itself, no synchronisation
                proxy.restore()
                page.wait(f"seen.opened === {connections}")
        page.wait(f"Object.values(seen.runs).filter(run => run.ended).length === {_MESSAGES + 2}")
        seen = page.run("seen")
    log = await stored(server)
    assert seen["errors"] == []
    assert seen["outbox"] == []
    assert set(log) == {*names, "out-1-again", "out-3-again"}
    assert seen["accepted"] == {name: run for name, (run, _) in log.items()}
    assert {run: one["text"] for run, one in seen["runs"].items()} == dict(log.values())
    assert [one for one in seen["runs"].values() if one.get("gap")] == []
    assert {one["ended"]["event"] for one in seen["runs"].values()} == {"done"}


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p>A page of somebody else.</p>")

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nothing."""


@pytest.fixture
def foreign_page() -> Iterator[str]:
    """A page at another port of the same host, to which the browser sends the same cookies."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{other.server_port}/"
        finally:
            other.shutdown()
            thread.join()


async def test_a_page_of_another_origin(server: Server, page: Page, foreign_page: str) -> None:
    sign_in(page, server.base)
    address = json.dumps(f"ws://127.0.0.1:{server.port}/ws/chat")
    script = f"""new Promise(tell => {{
      const socket = new WebSocket({address});
      socket.onopen = () => tell("open");
      socket.onclose = ({{code}}) => tell(code);
    }})"""
    assert page.run(script) == "open"
    page.go(foreign_page)
    assert page.run(script) == 1006
