"""Cleanup goes on with the other work where one piece of it fails, and tries that again."""

import asyncio

from structlog.testing import capture_logs
from tests.backend.application.fakes import until

from cartrita.application.cleanup import Cleanup
from cartrita.domain.errors import Unavailable
from cartrita.domain.ids import ConversationId


class Sweeping:
    """Removes two entries, unless it is to fail."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.sweeps = 0

    async def sweep(self) -> int:
        self.sweeps += 1
        if self.failure is not None:
            raise self.failure
        return 2


class Purging(Sweeping):
    async def hide(self, owner_id: str, conversation_id: ConversationId) -> bool:
        raise NotImplementedError

    async def purge(self, only: ConversationId | None = None) -> int:
        return await self.sweep()


async def test_what_fails_stops_nothing_and_is_told_in_full_once() -> None:
    removal, tickets, ledger = Purging(KeyError("missing")), Sweeping(), Sweeping()
    cleanup = Cleanup(removal, {"tickets": tickets, "ledger": ledger}, interval_s=60)
    with capture_logs() as logs:
        await cleanup.clean()
        await cleanup.clean()
    failed = [each for each in logs if each["event"] == "cleanup_failed"]
    assert [(each["of"], each["log_level"]) for each in failed] == [
        ("conversations", "error"),
        ("conversations", "warning"),
    ]
    assert isinstance(failed[0]["exc_info"], KeyError)
    assert "exc_info" not in failed[1]
    assert (removal.sweeps, tickets.sweeps, ledger.sweeps) == (2, 2, 2)
    removal.failure = None
    with capture_logs() as logs:
        await cleanup.clean()
    assert [each["event"] for each in logs] == ["cleanup_done"]
    assert {logs[0][name] for name in ("conversations", "tickets", "ledger")} == {2}
    removal.failure = KeyError("missing")
    with capture_logs() as logs:
        await cleanup.clean()
    assert isinstance(logs[0]["exc_info"], KeyError)


async def test_an_outage_is_told_by_its_code() -> None:
    cleanup = Cleanup(Purging(Unavailable("Away.")), {"tickets": Sweeping()}, interval_s=60)
    with capture_logs() as logs:
        await cleanup.clean()
    assert [(each["event"], each.get("code")) for each in logs] == [
        ("cleanup_failed", "unavailable"),
        ("cleanup_done", None),
    ]


async def test_it_goes_on_until_it_is_cancelled() -> None:
    removal = Purging(ZeroDivisionError())
    cleanup = Cleanup(removal, {}, interval_s=0)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(cleanup.run())
        await until(lambda: removal.sweeps > 2)
        running.cancel()
