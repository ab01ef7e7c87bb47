"""Lookups go on without those who wait for them, and are few at once."""

import asyncio
import socket
import threading

import pytest
import structlog
from tests.backend.adapters.http.names import Names

from cartrita.adapters.http import name_lookups
from cartrita.adapters.http.name_lookups import Address, NameLookups
from cartrita.adapters.http.targets import Origin


def origin(host: str) -> Origin:
    return Origin(host, 80, encrypted=False)


def hosts(found: list[Address]) -> list[object]:
    return [address[4][0] for address in found]


async def begun(lookups: NameLookups, host: str) -> "asyncio.Task[list[Address]]":
    """Somebody waits for a name."""
    task = asyncio.get_running_loop().create_task(lookups.addresses(origin(host)))
    await asyncio.sleep(0)
    return task


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.1.2.3"])
async def test_an_address_is_not_looked_up(names: Names, host: str) -> None:
    found = await NameLookups().addresses(origin(host))
    assert hosts(found) == [host]
    assert names.asked == []


async def test_a_lookup_outlives_those_who_wait_for_it(names: Names) -> None:
    lookups = NameLookups()
    names.addresses["silent.test"] = ("127.0.0.9",)
    async with names.silent(), asyncio.timeout(20):
        for _ in range(30):
            waiting = await begun(lookups, "silent.test")
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        waiting = await begun(lookups, "silent.test")
    assert hosts(await waiting) == ["127.0.0.9"]
    assert hosts(await lookups.addresses(origin("silent.test"))) == ["127.0.0.9"]
    assert names.asked == ["silent.test"]


async def test_few_names_are_looked_up_at_once(names: Names) -> None:
    lookups = NameLookups()
    async with asyncio.timeout(20):
        async with names.silent():
            waiting = [await begun(lookups, f"silent{number}.test") for number in range(150)]
        for task in waiting:
            assert hosts(await task) == ["127.0.0.1"]
    assert names.most_waiting == names.MOST
    assert len(names.asked) == 150


async def test_a_thread_that_cannot_begin_is_a_lookup_that_failed(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    lookups, name = NameLookups(), origin("some.test")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        for _ in range(names.MOST + 1):
            with pytest.raises(OSError, match="new thread"):
                await lookups.addresses(name)
    assert hosts(await lookups.addresses(name)) == ["127.0.0.1"]


async def test_known_addresses_are_used_where_a_lookup_fails_or_takes_long(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_lookups, "_FRESH_SECONDS", 0.0)
    monkeypatch.setattr(name_lookups, "_PATIENCE_SECONDS", 0.01)
    lookups, name = NameLookups(), origin("silent.test")
    names.addresses[name.host] = ("127.0.0.9",)
    assert hosts(await lookups.addresses(name)) == ["127.0.0.9"]
    async with names.silent(), asyncio.timeout(20):
        for _ in range(3):
            assert hosts(await lookups.addresses(name)) == ["127.0.0.9"]
    assert len(names.asked) == 2
    names.addresses[name.host] = ()
    monkeypatch.setattr(name_lookups, "_PATIENCE_SECONDS", 20.0)
    with structlog.testing.capture_logs() as logs:
        assert hosts(await lookups.addresses(name)) == ["127.0.0.9"]
        assert hosts(await lookups.addresses(name)) == ["127.0.0.9"]
    assert {(each["event"], each["host"]) for each in logs} == {
        ("upstream_name_not_found", "silent.test")
    }
    names.addresses[name.host] = ("127.0.0.8",)
    assert hosts(await lookups.addresses(name)) == ["127.0.0.8"]


async def test_known_addresses_are_not_used_for_ever(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_lookups, "_FRESH_SECONDS", 0.0)
    monkeypatch.setattr(name_lookups, "_USABLE_SECONDS", 0.0)
    lookups, name = NameLookups(), origin("gone.test")
    assert hosts(await lookups.addresses(name)) == ["127.0.0.1"]
    names.addresses[name.host] = ()
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await lookups.addresses(name)
    names.addresses[name.host] = ("127.0.0.8",)
    assert hosts(await lookups.addresses(name)) == ["127.0.0.8"]


async def test_a_name_that_is_none() -> None:
    with pytest.raises(ValueError, match="label"):
        await NameLookups().addresses(origin("x" * 70 + ".test"))


async def test_after_the_end_none_begins(names: Names) -> None:
    lookups = NameLookups()
    async with names.silent():
        waiting = [await begun(lookups, f"silent{number}.test") for number in range(150)]
        lookups.close()
    await asyncio.wait(waiting[: names.MOST])
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert len(names.asked) == names.MOST


def test_a_lookup_may_outlive_the_loop(names: Names) -> None:
    async def leave() -> None:
        async with asyncio.timeout(0.01):
            await NameLookups().addresses(origin("silent.test"))

    names._answering.clear()
    with pytest.raises(TimeoutError):
        asyncio.run(leave())
    names.answer()
    assert names.asked == ["silent.test"]


async def test_many_names_are_not_all_kept(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_lookups, "_MOST_NAMES", 3)
    lookups = NameLookups()
    async with names.silent():
        waiting = await begun(lookups, "silent.test")
        for number in range(9):
            await lookups.addresses(origin(f"host{number}.test"))
        assert len(lookups._names) <= 4
        again = await begun(lookups, "silent.test")
    assert hosts(await waiting) == hosts(await again) == ["127.0.0.1"]
    assert names.asked.count("silent.test") == 1
