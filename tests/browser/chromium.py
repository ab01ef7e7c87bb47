"""A real Chromium, without a window, driven over its DevTools protocol."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_WATCHDOG_S = 120.0
_SWITCHES = (
    "--headless=new",
    "--no-sandbox",  # root may not sandbox, and CI is often root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)


class PageFailed(AssertionError):
    """A script threw, or what was waited for did not come."""


class Page:
    """One tab. Scripts run in the page's own world and may be promises."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0

    def go(self, address: str) -> None:
        """Open an address and wait until it has loaded."""
        self._ask("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """The value of an expression, awaited."""
        response = self._ask(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in response:
            raise PageFailed(str(response["exceptionDetails"]))
        return response["result"].get("value")

    def wait(self, condition: str) -> Any:
        """Poll an expression until it is true; its value then."""
        deadline = time.monotonic() + _WATCHDOG_S
        while not (value := self.run(condition)):
            if time.monotonic() > deadline:
                raise PageFailed(f"never true: {condition}")
            time.sleep(0.02)
        return value

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        self._last += 1
        request = {"id": self._last, "method": method, "params": parameters}
        self._socket.send(json.dumps(request))
        while True:
            response = json.loads(self._socket.recv(timeout=_WATCHDOG_S))
            if response.get("id") == self._last:
                if "error" in response:
                    raise PageFailed(f"{method}: {response['error']}")
                return response["result"]


@contextmanager
def chromium(folder: Path) -> Generator[Page]:
    """A browser with a fresh profile in `folder`, and its one page."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "chromium is missing: .ci/run installs it"
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *_SWITCHES, f"--user-data-dir={folder / 'profile'}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with connect(_page_address(folder, process), proxy=None, max_size=None) as socket:
            yield Page(socket)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(_WATCHDOG_S)


def _page_address(folder: Path, process: "subprocess.Popen[bytes]") -> str:
    """Where the page listens; the browser writes its own address into its profile."""
    written = folder / "profile" / "DevToolsActivePort"
    deadline = time.monotonic() + _WATCHDOG_S
    while not (written.exists() and len(written.read_text().splitlines()) == 2):
        if process.poll() is not None or time.monotonic() > deadline:
            raise PageFailed((folder / "chromium.log").read_text(errors="replace")[-2000:])
        time.sleep(0.02)
    port, path = written.read_text().splitlines()
    with connect(f"ws://127.0.0.1:{port}{path}", proxy=None) as browser:
        browser.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        targets = json.loads(browser.recv(timeout=_WATCHDOG_S))["result"]["targetInfos"]
    page = next(one["targetId"] for one in targets if one["type"] == "page")
    return f"ws://127.0.0.1:{port}/devtools/page/{page}"
