"""Desktops on a real X server: started, shared by workers, taken over, stopped."""

import asyncio
import os
import signal
import stat
import uuid
from hashlib import sha256
from pathlib import Path

import pytest
from tests.harness import desktop_programs
from tests.harness.desktop_worker import spec
from tests.harness.x_display import eventually, keys_down

from cartrita.adapters.desktop import running
from cartrita.adapters.desktop.desktops import LocalDesktops, open_desktops
from cartrita.adapters.desktop.running import RunningDesktop
from cartrita.domain.desktop import (
    Click,
    DesktopId,
    DesktopIsolation,
    HoldKey,
    Key,
    Move,
    Point,
    Screenshot,
    Type,
    Wait,
)
from cartrita.domain.desktop_errors import (
    ActionBrokeOff,
    ActionRefused,
    Controlled,
    DesktopGone,
    ScreenChanged,
)
from cartrita.domain.desktop_stillness import NO_STILLNESS, Stillness
from cartrita.domain.errors import Unavailable
from cartrita.domain.ids import RunId
from cartrita.domain.ports.desktop import Desktop, Desktops
from cartrita.kit.secret import Secret

pytestmark = pytest.mark.slow
PNG = b"\x89PNG\r\n\x1a\n"
WATCHDOG_S = 180.0
LONG = 600.0


async def test_it_is_driven_and_seen(desktop: RunningDesktop) -> None:
    done = await desktop.act(Move(Point(321, 123)))
    assert done.after.pointer == Point(321, 123)
    assert done.after.png.startswith(PNG)
    assert done.before.png != done.after.png  # the pointer is in the picture
    seen = await desktop.act(Screenshot())
    assert seen.picture is not None
    assert (seen.picture.width, seen.picture.height) == (1280, 800)
    assert (await desktop.look()).pointer == Point(321, 123)
    still = Stillness(places=(Point(5, 5),), focus=True)
    assert await desktop.is_unchanged(done.digest, still)
    assert not await desktop.is_unchanged(sha256(PNG).hexdigest(), still), "nobody was shown it"


async def test_one_that_is_forgotten_ends_itself(
    desktops: LocalDesktops, desktop_id: DesktopId, folder: Path
) -> None:
    await desktops.start(desktop_id, spec(lifetime_s=0.5))
    await asyncio.to_thread(eventually, "it has ended", lambda: not left(folder))
    assert await desktops.all_running() == []


async def test_what_cannot_be_done_is_refused_with_a_sentence(desktop: RunningDesktop) -> None:
    with pytest.raises(ActionRefused, match=r"outside of the screen \(1280 x 800\)"):
        await desktop.act(Move(Point(1280, 0)))
    with pytest.raises(ActionRefused, match="There is no key"):
        await desktop.act(Key(("nokey",)))


async def test_a_program_of_the_menu_writes_on_the_disk_of_the_desktop(
    desktop: RunningDesktop,
) -> None:
    await desktop_programs.open_terminal(desktop)
    await desktop.act(Type("echo grüße > greeting; pwd >> greeting\n"))
    written = desktop_programs.home() / "greeting"
    await asyncio.to_thread(eventually, "both are written", lambda: complete(written))
    assert written.read_text("utf-8") == "grüße\n/home/desktop\n"


def complete(path: Path) -> bool:
    return path.exists() and path.read_text("utf-8").count("\n") == 2


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_its_folder_and_socket_are_for_its_user_alone(
    desktop: RunningDesktop, desktop_id: DesktopId, folder: Path
) -> None:
    socket = folder / desktop_id.hex / "socket"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


@pytest.mark.usefixtures("desktop")
async def test_none_of_its_processes_gains_rights_by_what_it_starts() -> None:
    host = desktop_programs.process("Xvfb").parents()[2]
    for each in (host, *host.children(recursive=True)):
        assert gains_nothing(each.pid), each.cmdline()[:4]


def gains_nothing(process: int) -> bool:
    return "NoNewPrivs:\t1" in Path(f"/proc/{process}/status").read_text()


async def test_another_worker_finds_it_and_stops_it(
    desktops: LocalDesktops, desktop: RunningDesktop, desktop_id: DesktopId, folder: Path
) -> None:
    async with open_desktops(folder) as others:
        found = await others.find(desktop_id)
        assert found is not None
        assert not await others.is_dead(desktop_id)
        own, another = RunId(uuid.uuid4()), RunId(uuid.uuid4())
        await found.keep({"PIN": Secret("12")}, own)
        await desktop.act(Type(secret="PIN"), None, own)
        for name, run_id in (("OTHER", own), ("PIN", another), ("PIN", None)):
            with pytest.raises(ActionRefused, match="no secret"):
                await desktop.act(Type(secret=name), None, run_id)
            assert await desktop.refused([Type(secret=name)], run_id) is not None
        assert await desktop.refused([Type(secret="PIN")], own) is None
        seen = (await found.act(Screenshot())).version
        await desktop.act(Move(Point(1, 1)), seen)
        with pytest.raises(ScreenChanged):
            await found.act(Move(Point(2, 2)), seen)
        await found.take("ann", LONG)
        with pytest.raises(Controlled):
            await desktop.act(Move(Point(1, 1)))
        await others.stop(desktop_id)
        assert await others.find(desktop_id) is None
    with pytest.raises(DesktopGone):
        await desktop.look()
    await desktops.stop(desktop_id)
    assert left(folder) == []


async def test_who_takes_it_waits_for_the_action_in_hand(desktop: RunningDesktop) -> None:
    async with asyncio.TaskGroup() as tasks:
        holding = tasks.create_task(desktop.act(HoldKey(("a",), 1.0)))
        taking = tasks.create_task(_take_after_begin(desktop))
        await taking
        assert holding.done()
    refused = 0
    for _ in range(20):
        with pytest.raises(Controlled):
            await desktop.act(Click(Point(10, 10)))
        with pytest.raises(Controlled):
            await desktop.act(Screenshot())
        with pytest.raises(Controlled):
            await desktop.is_unchanged("", NO_STILLNESS)
        refused += 1
    assert refused == 20
    await desktop.hand_back("ann")
    assert (await desktop.act(Screenshot())).picture is not None


async def _take_after_begin(desktop: RunningDesktop) -> None:
    """Connections are served in their order, so the action has begun."""
    await desktop.look()
    await desktop.take("ann", LONG)


async def test_only_one_person_has_it(desktop: RunningDesktop) -> None:
    await desktop.take("ann", LONG)
    with pytest.raises(Controlled, match="Another person"):
        await desktop.take("bob", LONG)
    with pytest.raises(Controlled, match="Another person"):
        await desktop.hand_back("bob")
    await desktop.take("ann", LONG)
    await desktop.hand_back("ann")
    await desktop.take("bob", LONG)


async def test_a_lease_that_is_not_renewed_ends(desktop: RunningDesktop) -> None:
    await desktop.take("ann", 0.05)
    async with asyncio.timeout(WATCHDOG_S):
        while True:
            try:
                await desktop.act(Screenshot())
            except Controlled:
                continue
            return


async def test_a_cancelled_wait_frees_the_desktop(desktop: RunningDesktop) -> None:
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(desktop.act(Wait(300)))
        await desktop.look()
        waiting.cancel()
    async with asyncio.timeout(WATCHDOG_S):
        assert (await desktop.act(Screenshot())).picture is not None


async def test_keys_that_a_cancelled_action_held_are_up(
    folder: Path, desktop_id: DesktopId, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desktops(folder, isolation=DesktopIsolation.PLAIN) as desktops:
        desktop = await desktops.start(desktop_id, spec())
        display, cookie = desktop_programs.display()
        monkeypatch.setenv("XAUTHORITY", cookie)
        async with asyncio.TaskGroup() as tasks:
            holding = tasks.create_task(desktop.act(HoldKey(("shift", "F5"), 300)))
            await asyncio.to_thread(eventually, "they are down", lambda: keys_down(display) == 2)
            holding.cancel()
        async with asyncio.timeout(WATCHDOG_S):
            await desktop.act(Screenshot())  # the next action comes after the end of that
        assert keys_down(display) == 0
        await desktops.stop(desktop_id)


@pytest.mark.parametrize("name", ["Xvfb", "host"])
async def test_when_it_dies_that_is_told(
    name: str, desktop: RunningDesktop, desktops: LocalDesktops, desktop_id: DesktopId
) -> None:
    victims = desktop_programs.named("Xvfb")
    if name == "host":
        victims = [victims[0].parents()[2]]
        assert "cartrita.adapters.desktop.host.main" in victims[0].cmdline()
    async with asyncio.TaskGroup() as tasks:
        acting = tasks.create_task(_gone(desktop))
        await desktop.look()
        os.kill(victims[0].pid, signal.SIGKILL)
        async with asyncio.timeout(WATCHDOG_S):
            await acting
    assert await desktops.is_dead(desktop_id)
    await desktops.stop(desktop_id)
    assert await desktops.find(desktop_id) is None


async def _gone(desktop: RunningDesktop) -> None:
    with pytest.raises(ActionBrokeOff):
        await desktop.act(Wait(300))


async def test_one_whose_host_is_frozen_is_dead_and_is_ended(
    desktop: RunningDesktop, desktop_id: DesktopId, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_STOP_S", 0.1)
    await desktop.act(Move(Point(1, 1)))
    host = desktop_programs.process("Xvfb").parents()[2]
    async with open_desktops(folder, answer_s=0.1) as others:
        host.suspend()
        with pytest.raises(Unavailable):
            await RunningDesktop(folder / desktop_id.hex, 0.1).look()
        with pytest.raises(Unavailable, match="did not answer in time") as late:
            await others.find(desktop_id)
        assert late.value.code == "desktop_unavailable"
        assert await others.is_dead(desktop_id)
        await others.stop(desktop_id)
    await asyncio.to_thread(eventually, "nothing is left", lambda: not left(folder))
    assert desktop_programs.named("Xvfb") == []


async def test_a_window_manager_that_dies_is_started_again(desktop: RunningDesktop) -> None:
    first = desktop_programs.process("openbox")
    os.kill(first.pid, signal.SIGKILL)
    await asyncio.to_thread(eventually, "there is another", lambda: _others("openbox", first.pid))
    async with asyncio.timeout(WATCHDOG_S):
        while not desktop_programs.named("bash"):  # it may not have begun yet
            await desktop.act(Click(Point(1000, 700)))
            await desktop.act(Key(("Down",)))
            await desktop.act(Key(("Return",)))


def _others(name: str, number: int) -> bool:
    return any(each.pid != number for each in desktop_programs.named(name))


async def test_several_at_once(desktops: LocalDesktops, folder: Path) -> None:
    numbers = [DesktopId(uuid.uuid4()) for _ in range(4)]
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(desktops.start(each, spec())) for each in numbers]
    for place, each in enumerate(started):
        await each.result().act(Move(Point(place, place)))
    assert [(await each.result().look()).pointer.x for each in started] == [0, 1, 2, 3]
    for each in numbers:
        await desktops.stop(each)
    assert left(folder) == []


async def test_one_that_does_not_start_in_time_leaves_nothing(
    desktops: LocalDesktops, desktop_id: DesktopId, folder: Path
) -> None:
    with pytest.raises(Unavailable, match=r"did not start within 0\.001 seconds"):
        await desktops.start(desktop_id, spec(start_timeout_s=0.001))
    assert left(folder) == []
    assert desktop_programs.named("Xvfb") == []


async def test_a_start_that_is_given_up_leaves_nothing(
    desktops: LocalDesktops, desktop_id: DesktopId, folder: Path
) -> None:
    async with asyncio.TaskGroup() as tasks:
        starting = tasks.create_task(desktops.start(desktop_id, spec()))
        await asyncio.to_thread(eventually, "it begins", folder.exists)
        starting.cancel()
    assert left(folder) == []
    assert desktop_programs.named("Xvfb") == []


async def test_an_app_that_is_not_installed_is_named(
    desktops: LocalDesktops, desktop_id: DesktopId
) -> None:
    with pytest.raises(Unavailable, match="no program nonesuch"):
        await desktops.start(desktop_id, spec(apps={"None": ("nonesuch", "-x")}))


async def test_they_are_what_the_application_wants(
    desktops: LocalDesktops, desktop: RunningDesktop
) -> None:
    every: Desktops = desktops
    one: Desktop = desktop
    assert (every, one) == (desktops, desktop)
