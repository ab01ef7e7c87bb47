"""A question of research: searched by two agents at once, a page is read, and the answer cites."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, until
from tests.harness.search_services.server import SearchServices
from tests.harness.websockets import opened


def task(agent: str, *scripts: Script) -> ToolCall:
    """A delegation to an agent whose model follows these scripts."""
    text = f"Do {uuid4().hex}. {directive(*scripts)}"
    return ToolCall(name="delegate", arguments={"agent": agent, "task": text})


def use(name: str, **arguments: Any) -> Script:
    return Script(tool_calls=(ToolCall(name=name, arguments=arguments),), insist=True)


@asynccontextmanager
async def page(text: str, ready: Callable[[], bool]) -> AsyncGenerator[str]:
    """A page of this machine, which is sent when it is ready; its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await until(ready)
        body = f"<title>Moss</title><p>{text}</p>".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/moss"


async def events_of(scenario: Scenario, *scripts: Script) -> dict[str, list[Any]]:
    """The data of each kind of event of an answer by the supervisor."""
    message = f"needle-{uuid4().hex} {directive(*scripts)}"
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", message=message)
        told = await socket.until_end()
    found: dict[str, list[Any]] = {}
    for frame in told:
        found.setdefault(frame["event"], []).append(frame["data"])
    assert "done" in found, found
    return found


def results_of(told: dict[str, list[Any]]) -> dict[str, Any]:
    """The results of tools that are no delegations, by name."""
    results = told["tool_result"]
    return {one["tool_name"]: one for one in results if one["tool_name"] != "delegate"}


async def test_research_by_two_agents_is_cited(serve: Any, services: SearchServices) -> None:
    services.reset()
    listed = {"CARTRITA_WEB_PRIVATE_HOSTS": "127.0.0.1"}
    scenario: Scenario = serve(settings={**services.settings, **listed})
    words = f"moss {uuid4().hex}"

    def searched() -> bool:
        """Whether the other agent has asked too, while this one waits for its page."""
        return any(one.service == "github" for one in services.asked)

    async with page("Moss grows a millimetre in a year.", searched) as url:
        calls = (
            task(
                "researcher",
                use("web_search", query=words, max_results=2),
                use("web_fetch", url=url),
                Script(text="A millimetre [3]."),
            ),
            task(
                "coder",
                use("github_search", query=words, max_results=1),
                Script(text="There is a library."),
            ),
        )
        told = await events_of(
            scenario, Script(text="I ask.", tool_calls=calls), Script(text="It is slow [3].")
        )
    results = results_of(told)
    assert sorted(results) == ["github_search", "web_fetch", "web_search"]
    assert all(one["success"] for one in results.values())
    assert "Moss grows a millimetre in a year." in results["web_fetch"]["result"]
    assert f"Page 0 of {words}." in results["web_search"]["result"]
    assert "owner/moss-0" in results["github_search"]["result"]
    sources = {one["url"] for one in told["source"]}
    assert sources == {
        "https://example.net/0",
        "https://example.net/1",
        url,
        "https://github.com/owner/moss-0",
    }
    assert sorted(one["index"] for one in told["source"]) == [1, 2, 3, 4]
    [done] = told["done"]
    assert done["final_response"].endswith("It is slow [3].")
    assert {one["index"]: one["url"] for one in done["sources"]} == {
        one["index"]: one["url"] for one in told["source"]
    }
    assert {one["agent_type"] for one in told["agent_task_complete"]} == {"researcher", "coder"}
    assert {one.service for one in services.asked} == {"searxng", "github"}


async def test_what_cannot_be_looked_up_is_told_to_the_model(scenario: Scenario) -> None:
    calls = (
        task(
            "researcher",
            use("web_search", query=f"moss {uuid4().hex}"),
            use("web_fetch", url="http://127.0.0.1:1/"),
            Script(text="I could not look."),
        ),
    )
    told = await events_of(
        scenario, Script(text="I ask.", tool_calls=calls), Script(text="Nobody knows.")
    )
    results = results_of(told)
    assert not any(one["success"] for one in results.values())
    assert "cannot be reached" in results["web_search"]["result"]
    assert "is not on the public web" in results["web_fetch"]["result"]
    assert "source" not in told


async def test_a_page_waits_for_a_person_where_the_operator_says_so(serve: Any) -> None:
    scenario: Scenario = serve(settings={"CARTRITA_WEB_APPROVAL": "true"})
    url = f"https://example.com/{uuid4().hex}"
    script = directive(use("web_fetch", url=url), Script(text="Read."))
    body = {"message": f"Read. {script}", "agent_override": "researcher"}
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", **body)
        told = await socket.until(
            lambda frame: frame.get("event") in ("approval_required", "tool_result", "done")
        )
    assert (told[-1]["event"], told[-1]["data"]["arguments"]) == ("approval_required", {"url": url})
