"""Models of vendors with computer tools of their own do a task on a real desktop, step by step."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import psutil
import pytest
from tests.harness.desktop_pictures import Opening, Openings
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.journeys.desktops import frames, run_of, screen, settled

pytestmark = pytest.mark.slow

TEXT = "Grüße, 世界 ✓"
MODELS = ["claude-opus-5-5", "claude-sonnet-4-5", "gpt-5.4"]
Action = tuple[str, dict[str, Any]]
"""A member of Anthropic's toolset, and its input."""


@pytest.fixture(scope="module")
def vendors() -> Iterator[FakeProvider]:
    with fake_provider(key=PROVIDER_KEY, models=MODELS) as fake:
        yield fake


@pytest.fixture(scope="module")
def desk_server(vendors: FakeProvider) -> Iterator[Server]:
    settings = {
        "CARTRITA_DESKTOP_ENABLED": "1",
        "CARTRITA_DESKTOP_SESSIONS_PER_OWNER": "4",
        "ANTHROPIC_BASE_URL": vendors.root_url,
        "ANTHROPIC_API_KEY": PROVIDER_KEY,
    }
    with Server(provider_url=vendors.base_url, settings=settings) as server:
        yield server


@pytest.fixture
def desk(desk_server: Server, vendors: FakeProvider) -> Scenario:
    return Scenario(desk_server, vendors)


def key(text: str) -> Action:
    return "key", {"text": text}


def write(text: str) -> Action:
    return "type", {"text": text}


def click(place: tuple[int, int]) -> Action:
    return "left_click", {"coordinate": [*place]}


MENU = (1100, 40)
"""A place on the background: there the menu opens, with the terminal and the editor."""
SHOT: Action = ("screenshot", {})
COUNT = "wc -c < note.txt > .count; mv .count count.txt"


class Step(NamedTuple):
    """What the model does in a turn, and what that opens, or closes.

    It sees that before it clicks or types there: what is approved is done to what was shown.
    """

    actions: list[Action]
    opens: Opening | None = None


POINT: Action = ("mouse_move", {"coordinate": [640, 400]})
"""It returns when the screen stands still, so that what it shows is what has the focus."""
STEPS = [
    Step([SHOT]),
    Step([click(MENU)], opens="menu"),
    Step([SHOT]),
    Step([click((1120, 66))], opens="program"),
    Step([POINT]),
    Step([write(TEXT)]),
    Step([("scroll", {"scroll_direction": "down", "scroll_amount": 2, "coordinate": [640, 400]})]),
    Step([key("ctrl+End")]),
    Step([key("ctrl+s")], opens="window"),
    Step([POINT]),
    Step([key("ctrl+a"), write("note.txt"), SHOT]),
    Step([key("Return")], opens="window"),
    Step([("zoom", {"region": [0, 0, 640, 400]})]),
    Step([("left_click_drag", {"start_coordinate": [600, 400], "coordinate": [700, 420]})]),
    Step([key("ctrl+f")]),
    Step([write("世界"), key("Escape")]),
    Step([("cursor_position", {})]),
    Step([click(MENU)], opens="menu"),
    Step([SHOT]),
    Step([click((1120, 49))], opens="program"),
    Step([("wait", {"duration": 1}), SHOT]),
    Step([write(f"cp note.txt copy.txt; {COUNT}\n")]),
    Step([("double_click", {"coordinate": [5, 5]})]),
    Step([SHOT]),
]


def of_toolset(step: list[Action]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(name=name, arguments=given) for name, given in step)


def of_older_tool(step: list[Action]) -> tuple[ToolCall, ...]:
    """The same for the tool of before, which cannot look closely."""
    known = [(SHOT if name == "zoom" else (name, given)) for name, given in step]
    return tuple(
        ToolCall(name="computer", arguments={"action": name, **given}) for name, given in known
    )


def of_openai(step: list[Action]) -> tuple[ToolCall, ...]:
    """All of a step in one call."""
    actions = [_openais(name, given) for name, given in step]
    return (ToolCall(name="computer_call", arguments={"actions": actions}),)


def _at(given: dict[str, Any], name: str = "coordinate") -> dict[str, int]:
    x, y = given[name]
    return {"x": x, "y": y}


def _openais(name: str, given: dict[str, Any]) -> dict[str, Any]:
    match name:
        case "wait" | "type":
            return {"type": name} | ({"text": given["text"]} if "text" in given else {})
        case "key":
            return {"type": "keypress", "keys": given["text"].upper().split("+")}
        case "mouse_move" | "left_click":
            button = {} if name == "mouse_move" else {"button": "left"}
            return {"type": "click" if button else "move", **_at(given), **button}
        case "double_click":
            return {"type": "double_click", **_at(given), "keys": None}
        case "scroll":
            return {"type": "scroll", **_at(given), "scroll_x": 0, "scroll_y": 240}
        case "left_click_drag":
            return {"type": "drag", "path": [_at(given, "start_coordinate"), _at(given)]}
        case _:
            return {"type": "screenshot"}


def _home() -> Path:
    """The home of the only desktop, as the terminal on it sees it."""
    for process in psutil.Process().children(recursive=True):
        if process.name() == "xterm":
            return Path("/proc", str(process.pid), "root", "home", "desktop")
    raise AssertionError("no terminal is open")


@pytest.mark.parametrize(
    ("model", "calls"),
    [
        ("anthropic/claude-opus-5-5", of_toolset),
        ("anthropic/claude-sonnet-4-5", of_older_tool),
        ("openai/gpt-5.4", of_openai),
    ],
)
async def test_a_task_of_many_steps_is_done(
    desk: Scenario, vendors: FakeProvider, model: str, calls: Any
) -> None:
    """Each step begins when a person allows it, who waits for what the one before it opens."""
    vendors.reset()
    for step in STEPS:
        vendors.script(Script(tool_calls=calls(step.actions), insist=True, reasoning="Hm."))
    vendors.script(Script(text="It is done."))
    body = {"task": f"Write it down {uuid4().hex}", "model": model, "approval": "always"}
    status, told = await desk.call("POST", "/api/computer-use/execute", body)
    assert status == 202, told
    run_id, desktop = told["run_id"], told["session_id"]
    openings = Openings(lambda: screen(desk, desktop))
    for step in STEPS:
        left = len(calls(step.actions))
        asked = await asked_of(desk, run_id)
        before = await screen(desk, desktop)
        await allow(desk, run_id, asked)
        while left := left - len(asked):
            asked = await asked_of(desk, run_id)
            await allow(desk, run_id, asked)
        await openings.opened(step.opens, before)
    assert (await settled(desk, run_id))["status"] == "completed"
    assert [one.status for one in vendors.requests()] == [200] * (len(STEPS) + 1)
    home = _home()
    await eventually(lambda: asyncio.to_thread((home / "count.txt").exists))
    assert (home / "note.txt").read_text().strip() == TEXT
    assert (home / "copy.txt").read_bytes() == (home / "note.txt").read_bytes()
    assert int((home / "count.txt").read_text()) == (home / "note.txt").stat().st_size
    film = await frames(desk, desktop)
    assert len(film) == sum(len(step.actions) for step in STEPS)
    assert [frame["error"] for frame in film] == [None] * len(film)
    assert [frame["action"] for frame in film if frame["approved_by"] is None] == []
    await desk.call("DELETE", f"/api/desktops/{desktop}")


async def asked_of(desk: Scenario, run_id: str) -> list[dict[str, Any]]:
    """What a run waits for."""

    async def look() -> list[dict[str, Any]]:
        return (await run_of(desk, run_id))["approvals"]

    return await eventually(look)


async def allow(desk: Scenario, run_id: str, asked: list[dict[str, Any]]) -> None:
    for one in asked:
        verdict = {"decision": "approve", "arguments_hash": one["arguments_hash"]}
        path = f"/api/runs/{run_id}/approvals/{one['approval_id']}"
        status, told = await desk.call("POST", path, verdict)
        assert status == 200, told
