"""Live sessions that threads share: what one says while another connects or sends."""

import json
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from cartrita_client import CartritaApiClient, kinds
from cartrita_client.generated.models import ApprovalRequiredData
from cartrita_client.live_state import LiveState

RUN = "run_1"
_GRACE_S = 0.5
"""How long one waits for another who, where there is order, has to wait for it."""
_WATCHDOG_S = 20.0
REFUSED = {"error": "It changed.", "code": "arguments_changed", "run_id": RUN}


def approval(name: str) -> ApprovalRequiredData:
    return ApprovalRequiredData.model_construct(approval_id=name, arguments_hash="0")


@contextmanager
def scripted() -> Generator[tuple[str, list[dict[str, Any]]]]:
    """A server that refuses the decision on `first`, and leaves at an `ack`; what it heard."""
    heard: list[dict[str, Any]] = []

    def answer(socket: ServerConnection) -> None:
        for text in socket:
            frame = json.loads(text)
            heard.append(frame)
            if frame.get("approval_id") == "first":
                socket.send(json.dumps(REFUSED))
            elif frame["type"] == "ack":
                return
            elif frame["type"] == "ping":
                socket.send('{"type": "pong"}')

    with serve(answer, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}", heard
        finally:
            server.shutdown()
            thread.join()


def after_the_next(
    monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], Future[None]]
) -> None:
    """Have something begun right after the next use of a method of the state, and time for it."""
    original = getattr(LiveState, name)
    once = [act]

    def replaced(self: LiveState, *given: Any) -> Any:
        found = original(self, *given)
        if once:
            wait([once.pop()()], _GRACE_S)
        return found

    monkeypatch.setattr(LiveState, name, replaced)


def test_what_a_thread_says_while_another_connects_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        scripted() as (base, heard),
        ThreadPoolExecutor() as threads,
        CartritaApiClient(base, "ck_a", retry_delay=0.02).live() as session,
    ):
        run = session.follow(RUN)
        session.ping()
        said: list[Future[None]] = []

        def cancel() -> Future[None]:
            said.append(threads.submit(run.cancel))
            return said[0]

        after_the_next(monkeypatch, "greeting", cancel)
        run.ack()
        session.ping()
        said[0].result(_WATCHDOG_S)
    assert {"type": "cancel", "run_id": RUN} in heard


def test_of_two_threads_that_decide_the_refused_one_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        scripted() as (base, _),
        ThreadPoolExecutor() as threads,
        CartritaApiClient(base, "ck_a").live() as session,
    ):
        run = session.follow(RUN)
        session.ping()
        others: list[Future[None]] = []

        def decide_too() -> Future[None]:
            others.append(threads.submit(run.approve, approval("second")))
            return others[0]

        after_the_next(monkeypatch, "command", decide_too)
        first = threads.submit(run.approve, approval("first"))
        with pytest.raises(kinds.Conflict):
            first.result(_WATCHDOG_S)
        others[0].result(_WATCHDOG_S)
