"""A page of another origin does with a browser what the client of the original backend does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.browser.chromium import Page, chromium
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import KEY, Server

pytestmark = pytest.mark.slow

_CLIENT = """
window.headers = {"X-API-Key": KEY, "Authorization": `Bearer ${KEY}`, "X-Client-Version": "Old/2"};
window.ask = (method, path, body) => fetch(API + path, {
  method,
  headers: body === undefined || body instanceof FormData
    ? headers : {...headers, "Content-Type": "application/json"},
  body: body === undefined || body instanceof FormData ? body : JSON.stringify(body),
}).then(async answer => {
  const told = answer.status === 204 ? {} : await answer.json();
  return {status: answer.status, ...told};
});

window.byEvents = message => new Promise((resolve, reject) => {
  const query = new URLSearchParams({message, model: "openai/fake", api_key: KEY});
  const source = new EventSource(`${API.replace("/api", "")}/api/chat/stream?${query}`);
  let text = "";
  source.onmessage = ({data}) => {
    let frame;
    try { frame = JSON.parse(data); } catch { return; }
    if (!("event" in frame && "data" in frame)) return;
    if (frame.event === "token") text += frame.data.delta;
    if (frame.event === "done") { source.close(); resolve([text, frame.data.final_response]); }
  };
  source.onerror = () => reject(new Error("broken"));
});

window.byContents = async message => {
  const query = new URLSearchParams({message, model: "openai/fake"});
  const answer = await fetch(`${API}/chat/stream?${query}`, {headers});
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", text = "";
  for (;;) {
    const {done, value} = await reader.read();
    if (done) throw new Error("no end");
    const lines = (rest + value).split("\\n");
    rest = lines.pop();
    for (const line of lines.filter(each => each.startsWith("data: "))) {
      const data = line.slice(6).trim();
      if (data === "[DONE]") return text;
      const frame = JSON.parse(data);
      if (frame.type === "content" || frame.content) text += frame.content;
      else throw new Error(`taken for the answer: ${data}`);
    }
  }
};

window.bySocket = message => new Promise((resolve, reject) => {
  const socket = new WebSocket(API.replace("http", "ws").replace("/api", "") + "/ws/chat");
  socket.onopen = () => {
    socket.send(JSON.stringify({type: "auth", api_key: KEY}));
    socket.send(JSON.stringify({type: "chat", message, context: {}, conversation_id: undefined}));
  };
  socket.onmessage = ({data}) => {
    const frame = JSON.parse(data);
    if (frame.error) reject(new Error(frame.error));
    if (frame.response && frame.done) { socket.close(); resolve(frame.response); }
  };
  socket.onerror = () => reject(new Error("broken"));
});

window.uploadAll = names => {
  const form = new FormData();
  names.forEach((name, at) => form.append(`files[${at}]`, new File([name], name)));
  return ask("POST", "/upload/multiple", form);
};
true
"""


class _Blank(BaseHTTPRequestHandler):
    """Serves the page of a frontend, which is empty."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base
        pass


@pytest.fixture(scope="module")
def frontend() -> Iterator[str]:
    """The origin of the frontend's pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as pages:
        thread = threading.Thread(target=pages.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{pages.server_port}"
        pages.shutdown()


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider(key="sk-of-the-fake-provider") as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: FakeProvider, frontend: str) -> Iterator[Server]:
    settings = {"CARTRITA_COMPAT_FRONTEND": "1", "CARTRITA_CORS_ORIGINS": frontend}
    with Server(provider_url=provider.base_url, settings=settings) as running:
        yield running


@pytest.fixture
def page(tmp_path: Path, server: Server, frontend: str) -> Iterator[Page]:
    with chromium(tmp_path) as opened:
        opened.go(frontend)
        opened.run(f"window.KEY = {json.dumps(KEY)}; window.API = '{server.base}/api'; true")
        opened.run(_CLIENT)
        yield opened


def test_it_chats_in_three_ways(page: Page) -> None:
    message = json.dumps(f"Hello. {directive(Script(text='One, two, three.'))}")
    assert page.run(f"byEvents({message})") == ["One, two, three."] * 2
    assert page.run(f"byContents({message})") == "One, two, three."
    assert page.run(f"bySocket({message})") == "One, two, three."
    told = page.run(f"ask('POST', '/chat', {{message: {message}, context: {{page: 'chat'}}}})")
    assert (told["success"], told["data"]["response"]) == (True, "One, two, three.")


def test_it_uploads_lists_and_stores(page: Page) -> None:
    made = page.run("uploadAll(['a.txt', 'b.txt'])")
    assert [each["fileName"] for each in made["data"]] == ["a.txt", "b.txt"]
    agents = page.run("ask('GET', '/agents')")
    assert "supervisor" in [each["id"] for each in agents["data"]]
    assert page.run("ask('PUT', '/api/settings', {theme: 'dark'})")["data"]["theme"] == "dark"
    conversation = page.run("ask('POST', '/conversations', {title: 'Old'})")["data"]["id"]
    archived = page.run(f"ask('PUT', '/conversations/{conversation}/archive')")
    assert archived["data"]["isArchived"] is True
    assert page.run(f"ask('DELETE', '/conversations/{conversation}')") == {"status": 204}
    missing = page.run(f"ask('GET', '/conversations/{conversation}')")
    assert (missing["status"], missing["success"]) == (404, False)
    assert page.run("ask('GET', '/health')")["data"]["status"] == "ok"
