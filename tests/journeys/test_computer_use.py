"""An agent does tasks on a real desktop; a person approves, denies, takes over and stops."""

import asyncio
import io
import json
from typing import Any
from zipfile import ZipFile

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import ToolCall
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, Server
from tests.journeys.desktops import (
    CLICK,
    LOOK,
    computer,
    decide,
    execute,
    frames,
    octets,
    results,
    settled,
    task,
)
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

pytestmark = pytest.mark.slow

HALTED = "Not executed: an earlier computer action in this turn failed."
OUTSIDE = {"type": "click", "at": {"x": 5000, "y": 10}}
_ENLARGE = {"type": "scroll", "down": 1, "keys": ["ctrl"]}
_MOVE = {"type": "move", "at": {"x": 10, "y": 10}}
_TYPE = {"type": "type", "text": "hello world"}
_WATCHDOG_S = 60.0


async def test_a_task_looks_and_asks_before_it_clicks(desk: Scenario) -> None:
    status, told = await execute(desk, task((computer(LOOK),), (computer(CLICK),)))
    assert status == 202, told
    assert told["status"] == "waiting"
    _, talk = await desk.call("GET", f"/api/conversations/{told['conversation_id']}")
    assert talk["title"].startswith("needle-"), "it is named like its task"
    [approval] = told["approvals"]
    assert approval["arguments"] == {"actions": [CLICK]}
    assert approval["markers"] == [
        {"index": 1, "action": "click", "points": [{"x": 640, "y": 400}]}
    ]
    status, kind, picture = await octets(desk, approval["screenshot_url"])
    assert (status, kind) == (200, "image/png")
    assert picture.startswith(b"\x89PNG")
    assert [frame["action"] for frame in await frames(desk, told["session_id"])] == [LOOK]
    assert (await decide(desk, told))[0] == 200
    assert (await settled(desk, told["run_id"]))["status"] == "completed"
    film = await frames(desk, told["session_id"])
    assert [frame["action"] for frame in film] == [LOOK, CLICK]
    assert film[1]["approved_by"] is not None
    assert film[1]["marker"]["points"] == [{"x": 640, "y": 400}]
    assert len(await results(desk, told)) == 2


async def test_a_denied_click_is_not_made_and_ends_the_calls_after_it(desk: Scenario) -> None:
    steps = (computer(LOOK),), (computer(CLICK), computer(_MOVE))
    _, told = await execute(desk, task(*steps))
    assert (await decide(desk, told, "deny"))[0] == 200
    assert (await settled(desk, told["run_id"]))["status"] == "completed"
    assert [frame["action"] for frame in await frames(desk, told["session_id"])] == [LOOK]
    said = await results(desk, told)
    assert "did not allow" in said[1]
    assert said[2] == HALTED


async def test_of_what_cannot_be_done_nothing_is_nor_the_calls_after_it(desk: Scenario) -> None:
    steps = (computer(LOOK),), (computer(_MOVE, OUTSIDE, _MOVE), computer(_MOVE))
    status, told = await execute(desk, task(*steps), approval="never")
    assert status == 200, told
    shown = [step["action"] for step in told["steps"]]
    assert shown == ["screenshot"] * 2, "it was shown the screen when it was refused"
    said = await results(desk, told)
    assert said[1] == (
        "Nothing was done. Action 2 of 3 cannot be done. "
        "The point is outside of the screen (1280 x 800)."
    )
    assert said[2] == HALTED


async def test_an_agent_looks_before_it_acts(desk: Scenario) -> None:
    status, told = await execute(desk, task((computer(_MOVE),)), approval="never")
    assert status == 200, told
    assert [step["action"] for step in told["steps"]] == ["screenshot"]
    assert (await results(desk, told))[0].startswith("Nothing was done")


async def test_nobody_is_asked_about_what_an_agent_has_not_seen(desk: Scenario) -> None:
    secret = {"type": "type", "secret": "PIN"}
    steps = (computer(CLICK),), (computer(LOOK, CLICK),), (computer(LOOK),), (computer(secret),)
    behind = (computer(_MOVE, CLICK, secret),)
    told_first = task(*steps[:3], behind, *steps[3:])
    status, told = await execute(desk, told_first, secrets={"PIN": "1"})
    assert (status, len(told["approvals"])) == (202, 1)
    assert told["approvals"][0]["arguments"] == {"actions": [secret]}
    assert (await decide(desk, told))[0] == 200
    assert (await settled(desk, told["run_id"]))["status"] == "completed"
    unseen, looked, seen, early, typed = await results(desk, told)
    look_first = "Nothing was done. The screen may be another than the one that you saw last."
    assert [one.startswith(look_first) for one in (unseen, looked)] == [True] * 2
    assert early.startswith("Nothing was done. A secret is typed only on the screen")
    assert (seen, typed) == ("Done.", "Done.")
    film = await frames(desk, told["session_id"])
    assert [frame["action"] for frame in film] == [LOOK, secret]


async def test_a_secret_is_typed_and_told_nobody(desk: Scenario) -> None:
    typed = {"type": "type", "secret": "PASSWORD"}
    steps = (computer(LOOK),), (computer(typed),), (computer({"type": "type", "secret": "X"}),)
    canary = "canary-40c1b7"
    given = {"secrets": {"PASSWORD": canary}, "approval": "never"}
    status, told = await execute(desk, task(*steps), **given)
    assert status == 200, told
    film = await frames(desk, told["session_id"])
    assert [frame["action"] for frame in film][1] == typed
    assert film[1]["error"] is None
    assert "no secret of this name" in film[2]["error"]
    _, _, archive = await octets(desk, f"/api/desktops/{told['session_id']}/film")
    with ZipFile(io.BytesIO(archive)) as film_:
        lines = film_.read("film.jsonl")
        assert canary.encode() not in lines
        named = {json.loads(line)["after"] for line in lines.splitlines()} - {None}
        assert named <= set(film_.namelist())
    async with desk.connection() as db:
        for table in ("run_events", "run_steps", "runs", "messages", "desktop_frames"):
            rows = await db.fetch(f"SELECT t::text FROM {table} t")
            assert not any(canary in row["t"] for row in rows), table


async def test_a_later_run_on_its_desktop_types_no_secret_of_a_task(desk: Scenario) -> None:
    given = {"secrets": {"PASSWORD": "canary-51"}, "approval": "never"}
    status, told = await execute(desk, task((computer(LOOK),)), **given)
    assert status == 200, told
    typed = computer({"type": "type", "secret": "PASSWORD"})
    later = {"agent_override": "computer_use", "conversation_id": told["conversation_id"]}
    message = task((computer(LOOK),), (typed,), says="I do not know it.")
    body = {"message": message, "model": "openai/fake", **later}
    status, answer = await desk.call("POST", "/api/chat", body)
    assert (status, answer["response"]) == (200, "I do not know it."), "nobody was asked"
    assert [one["action"] for one in await frames(desk, told["session_id"])] == [LOOK, LOOK]


async def test_an_agent_that_only_looks_is_stopped(desk: Scenario) -> None:
    status, told = await execute(desk, task(*[(computer(LOOK),)] * 12))
    assert (status, told["code"]) == (409, "agent_stuck")


async def test_a_task_that_is_given_twice_is_done_once(desk: Scenario) -> None:
    body = {"task": task((computer(LOOK),)), "model": "openai/fake"}
    once = {"Idempotency_Key": "twice"}

    async def given(**more: Any) -> tuple[int, dict[str, Any]]:
        return await desk.call("POST", "/api/computer-use/execute", {**body, **more}, **once)

    (status, told), *others = await asyncio.gather(given(), given())
    assert status == 200, told
    others += [await given(), await given(secrets=None)]
    for status, again in others:
        assert (status, again["run_id"]) == (200, told["run_id"])
        assert again["session_id"] == told["session_id"]
        assert [step["action"] for step in again["steps"]] == ["screenshot"]
    _, page = await desk.call("GET", "/api/desktops")
    assert [one["id"] for one in page["items"] if one["status"] == "ready"] == [told["session_id"]]
    status, refused = await given(task="Something else.")
    assert (status, refused["code"]) == (422, "idempotency_mismatch")
    await desk.call("DELETE", f"/api/desktops/{told['session_id']}")
    status, again = await given()
    assert (status, again["session_id"]) == (200, told["session_id"]), "it has ended, as it was"


async def control(desk: Scenario, desktop: str, action: str) -> tuple[int, Any]:
    return await desk.call("POST", f"/api/desktops/{desktop}/control", {"action": action})


async def test_who_takes_over_is_the_only_one_who_uses_it(desk: Scenario) -> None:
    _, told = await execute(desk, task((computer(LOOK),), (computer(_ENLARGE),), (computer(LOOK),)))
    desktop = told["session_id"]
    status, view = await control(desk, desktop, "take")
    assert status == 200
    assert view["control"]["mine"]
    assert (await decide(desk, told))[0] == 200  # for a screen that a person has had since

    async def refused() -> bool:
        return (await frames(desk, desktop))[-1]["error"] is not None

    await eventually(refused)
    status, view = await control(desk, desktop, "release")
    assert (status, view["control"]) == (200, None)
    assert (await settled(desk, told["run_id"]))["status"] == "completed"
    kinds = [
        (f["actor"], f["action"]["type"], f["error"] is None) for f in await frames(desk, desktop)
    ]
    assert kinds == [
        ("agent", "screenshot", True),
        ("person", "take_over", True),
        ("agent", "scroll", False),
        ("person", "hand_back", True),
        ("agent", "screenshot", True),
    ]
    assert "has handed it back" in (await results(desk, told))[1]


async def test_an_agent_asks_a_person_to_take_over_and_does_nothing_blind_then(
    desk: Scenario,
) -> None:
    asked = ToolCall(name="ask_for_hand_over", arguments={"reason": "Please sign in."})
    typing = computer(_TYPE)
    steps = (computer(LOOK),), (asked,), (computer(LOOK), typing), (computer(LOOK), typing)
    status, told = await execute(desk, task(*steps), approval="never")
    assert status == 202, told
    assert told["approvals"][0]["tool_name"] == "ask_for_hand_over"
    await control(desk, told["session_id"], "take")
    await control(desk, told["session_id"], "release")
    assert (await settled(desk, told["run_id"]))["status"] == "completed"
    handed_back, looked, blind, *then = (await results(desk, told))[1:]
    assert "handed the desktop back" in handed_back
    assert looked == "Done."
    assert blind.startswith("Nothing was done. The screen may have changed since you saw it.")
    assert then == ["Done.", "Done."]
    film = await frames(desk, told["session_id"])
    assert [frame["action"] for frame in film if frame["actor"] == "agent"] == [
        *(LOOK, LOOK, LOOK, LOOK, _TYPE)
    ]


async def test_a_key_for_chats_alone_lets_no_agent_use_a_desktop(desk: Scenario) -> None:
    limited = {"name": "for chats", "scopes": {"operations": ["chat", "conversations"]}}
    _, key = await desk.call("POST", "/api/keys", limited)
    asks = ToolCall(name="ask_for_hand_over", arguments={"reason": "Please sign in."})
    body = {
        "message": task((computer(LOOK), computer(CLICK)), (asks,)),
        "agent_override": "computer_use",
        "model": "openai/fake",
    }
    desktops = await desk.fetch("SELECT id FROM desktop_sessions")
    status, told = await desk.call("POST", "/api/chat", body, X_API_Key=key["key"])
    assert status == 200, told
    looked, clicked, asked = await results(desk, told)
    assert "may not use the operation desktop" in looked
    assert clicked == HALTED
    assert "may not use the operation desktop" in asked
    assert await desk.fetch("SELECT id FROM desktop_sessions") == desktops


async def test_stop_ends_a_task_within_an_action(desk: Scenario) -> None:
    waits = computer(LOOK, *[{"type": "wait", "seconds": 300}] * 20)
    run = asyncio.ensure_future(execute(desk, task((waits,))))
    waiting = "SELECT number FROM desktop_frames WHERE action ->> 'type' = 'wait'"

    async def begun() -> str | None:
        _, page = await desk.call("GET", "/api/desktops")
        live = [one["id"] for one in page["items"] if one["status"] == "ready"]
        if live and await desk.fetch(f"{waiting} AND desktop_id = '{live[0].split('_')[1]}'"):
            return live[0]
        return None

    desktop = await eventually(begun)
    assert (await desk.call("POST", f"/api/desktops/{desktop}/stop"))[0] == 200
    status, told = await asyncio.wait_for(run, _WATCHDOG_S)
    assert (status, told["code"]) == (409, "cancelled")
    film = await frames(desk, desktop)
    assert [frame["action"]["type"] for frame in film] == ["screenshot", "wait"]
    assert film[1]["error"].startswith("It was stopped")
    status, view = await desk.call("GET", f"/api/desktops/{desktop}")
    assert view["status"] == "ready"
    status, told = await execute(desk, task((computer(LOOK),)), session_id=desktop)
    assert (status, told["session_id"]) == (200, desktop)


async def test_a_task_whose_model_fails_leaves_no_desktop_on_which_nothing_was_done(
    desk: Scenario,
) -> None:
    async def running() -> list[str]:
        _, page = await desk.call("GET", "/api/desktops")
        return [one["id"] for one in page["items"] if one["status"] != "stopped"]

    status, told = await execute(desk, task(fails=True))
    assert status == 400, told
    assert await running() == []
    body = {"task": task(fails=True), "model": "openai/fake", "stream": True}
    sent = json.dumps(body).encode()
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    path = "/api/computer-use/execute"
    async with await raw_http.request(desk.server.port, "POST", path, headers, sent) as answer:
        assert b'"event":"error"' in await answer.body()
    assert await running() == []
    status, told = await execute(desk, task((computer(LOOK),), fails=True))
    assert status == 400, told
    assert await running() == [told["details"]["session_id"]]


async def test_a_key_that_ends_during_a_task_is_told_what_it_leaves(desk: Scenario) -> None:
    _, key = await desk.call("POST", "/api/keys", {"name": "for a task"})
    waits = computer(LOOK, *[{"type": "wait", "seconds": 300}] * 20)
    body = {"task": task((waits,)), "model": "openai/fake"}
    path = "/api/computer-use/execute"
    run = asyncio.ensure_future(desk.call("POST", path, body, X_API_Key=key["key"]))

    async def begun() -> str | None:
        _, page = await desk.call("GET", "/api/desktops")
        live = [one["id"] for one in page["items"] if one["status"] == "ready"]
        return live[0] if live and await frames(desk, live[0]) else None

    desktop = await eventually(begun)
    assert (await desk.call("POST", f"/api/keys/{key['id']}/revoke"))[0] == 200
    status, told = await asyncio.wait_for(run, _WATCHDOG_S)
    assert (status, told["code"]) == (401, "key_ended")
    assert told["details"]["session_id"] == desktop
    assert (await desk.call("POST", f"/api/desktops/{desktop}/stop"))[0] == 200
    assert (await settled(desk, told["details"]["run_id"]))["status"] == "cancelled"


async def test_time_is_looked_at_between_actions(desk: Scenario) -> None:
    _, made = await desk.call("POST", "/api/desktops", {})
    waits = computer(LOOK, *[{"type": "wait", "seconds": 1}] * 60)
    status, told = await execute(desk, task((waits,)), timeout_s=10, session_id=made["id"])
    assert status == 200, told
    assert 0 < len(told["steps"]) < 40
    assert (told["finish_reason"], told["limit_reached"]) == ("length", "seconds")


async def test_a_task_that_its_steps_have_ended_says_so(desk: Scenario) -> None:
    steps = (computer(LOOK),), (computer(_MOVE),)
    status, told = await execute(desk, task(*steps), max_steps=1)
    assert status == 200, told
    assert (told["finish_reason"], told["limit_reached"]) == ("length", "steps")
    desktop = told["session_id"]
    status, told = await execute(desk, task((computer(LOOK),)), session_id=desktop)
    assert (told["finish_reason"], told["limit_reached"]) == ("stop", None)
    steps = (computer(LOOK),), (computer(CLICK),)
    status, told = await execute(desk, task(*steps), session_id=desktop)
    assert (status, told["finish_reason"], told["limit_reached"]) == (202, None, None)


async def test_an_answer_names_the_desktop_that_came_after_one_that_ended(desk: Scenario) -> None:
    waits = computer({"type": "wait", "seconds": 299})
    steps = (computer(LOOK),), (waits,), (computer(LOOK),)
    run = asyncio.ensure_future(execute(desk, task(*steps)))

    async def ended() -> Any:
        return await desk.fetch(
            "UPDATE desktop_sessions SET expires_at = now() WHERE status = 'ready' AND id IN"
            " (SELECT desktop_id FROM desktop_frames WHERE (action ->> 'seconds')::float = 299)"
            " RETURNING id"
        )

    [before] = await eventually(ended)
    status, told = await asyncio.wait_for(run, _WATCHDOG_S)
    assert status == 200, told
    assert told["session_id"] != f"desktop_{before['id'].hex}"
    _, view = await desk.call("GET", f"/api/desktops/{told['session_id']}")
    assert (view["status"], view["live_url"]) == ("ready", told["live_url"])
    assert [step["action"] for step in told["steps"]] == ["screenshot", "wait", "screenshot"]


async def test_one_that_was_ended_is_gone(desk: Scenario) -> None:
    status, made = await desk.call("POST", "/api/desktops", {})
    assert (status, made["status"]) == (201, "ready")
    again = {"conversation_id": made["conversation_id"]}
    status, told = await desk.call("POST", "/api/desktops", again)
    assert (status, told["code"]) == (409, "desktop_exists")
    assert (await octets(desk, f"/api/desktops/{made['id']}/screenshot"))[0] == 200
    assert (await desk.call("DELETE", f"/api/desktops/{made['id']}"))[0] == 204
    status, told = await execute(desk, task((computer(LOOK),)), session_id=made["id"])
    assert (status, told["code"]) == (409, "desktop_gone")
    status, view = await desk.call("GET", f"/api/desktops/{made['id']}")
    assert (view["status"], view["live_url"]) == ("stopped", None)
    assert "owner" in view["reason"]


async def test_it_is_seen_over_a_socket_by_whoever_may(desk: Scenario) -> None:
    _, made = await desk.call("POST", "/api/desktops", {})
    url = f"ws://{HOST}:{desk.server.port}{made['live_url']}"
    options: Any = {"proxy": None, "open_timeout": 30}
    async with connect(url, additional_headers={"X-API-Key": KEY}, **options) as socket:
        hello = await asyncio.wait_for(socket.recv(), 30)
        assert isinstance(hello, bytes)
        assert hello.startswith(b"RFB 003.")
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, **options):
            pass
    assert refused.value.response.status_code == 401
    foreign = {"X-API-Key": KEY, "Origin": "http://evil.example"}
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=foreign, **options):
            pass
    assert refused.value.response.status_code == 403
    unknown = url.replace(made["id"], f"desktop_{'0' * 32}")
    with pytest.raises(InvalidStatus) as refused:
        async with connect(unknown, additional_headers={"X-API-Key": KEY}, **options):
            pass
    assert refused.value.response.status_code == 404


async def test_an_action_that_broke_off_is_not_done_again(provider: FakeProvider) -> None:
    held = {"type": "hold_key", "keys": ["a"], "seconds": 25}
    steps = (computer(LOOK),), (computer(held),), (computer(CLICK),)
    settings = {"CARTRITA_DESKTOP_ENABLED": "1", "CARTRITA_DESKTOP_SWEEP_S": "0.1"}
    with Server(provider_url=provider.base_url, settings=settings) as server:
        doomed = Scenario(server, provider)
        body = {"task": task(*steps), "model": "openai/fake", "approval": "never"}
        lost = asyncio.ensure_future(doomed.call("POST", "/api/computer-use/execute", body))

        async def acting() -> Any:
            return await doomed.fetch(
                "SELECT run_id, conversation_id FROM desktop_frames f JOIN runs r ON r.id = run_id"
                " WHERE error IS NOT NULL AND EXISTS (SELECT FROM run_steps s"
                " WHERE s.run_id = f.run_id AND s.state = 'intent')"
            )

        [row] = await eventually(acting)
        server.kill("everything")
        await asyncio.gather(lost, return_exceptions=True)
        server.restart()
        run_id = f"run_{row['run_id'].hex}"
        assert (await settled(doomed, run_id))["status"] == "completed"
        told = {"conversation_id": f"conv_{row['conversation_id'].hex}"}
        said = await results(doomed, told)
        assert said[1].startswith("It is not known whether this took effect")
        assert said[2].startswith("Nothing was done"), "it has to look first"
        _, page = await doomed.call("GET", "/api/desktops")
        states = {one["id"]: one["status"] for one in page["items"]}
        assert sorted(states.values()) == ["failed", "ready"]
        films = {state: await frames(doomed, each) for each, state in states.items()}
        done = [frame["action"]["type"] for frame in films["failed"]]
        assert done == ["screenshot", "hold_key"]
        assert films["failed"][1]["error"].startswith("It broke off")
        assert [frame["action"]["type"] for frame in films["ready"]] == ["screenshot"]


async def test_who_asks_with_a_key_is_told_what_shuts_desktops_in(desk: Scenario) -> None:
    _, told = await desk.call("GET", "/ready")
    assert told["desktop"] == {"isolation": "bubblewrap", "missing": [], "without": []}
