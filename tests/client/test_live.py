"""Live sessions: several answers over a socket that is cut, and an outbox that loses nothing."""

import asyncio
from collections.abc import Iterator
from itertools import islice

import pytest
from tests.browser.tcp_proxy import TcpProxy, tcp_proxy
from tests.client.scenes import ANSWER
from tests.client.strange_server import Reply, strange_server
from tests.harness.server import KEY, NOBODY, Server

from cartrita_client import (
    AsyncCartritaApiClient,
    CartritaApiClient,
    NotCartrita,
    SessionClosed,
    Unreachable,
    kinds,
)
from cartrita_client.generated.models import ApprovalRequiredFrame

_QUICK = 0.02


@pytest.fixture
def proxy(server: Server) -> Iterator[TcpProxy]:
    with tcp_proxy(server.port) as made:
        yield made


def cut(proxy: TcpProxy) -> None:
    """Reset all connections; the next ones are accepted."""
    proxy.cut()
    proxy.restore()


def test_several_answers_come_over_one_socket(client: CartritaApiClient) -> None:
    with client.live() as session:
        session.ping()
        runs = [session.chat("Hello."), session.chat("In four parts."), session.chat("Hello.")]
        last, *_, first = [run.final().final_response for run in reversed(runs)]
    assert last == first == ANSWER
    assert len({run.run_id for run in runs}) == 3


async def test_tasks_read_their_runs_at_once(async_client: AsyncCartritaApiClient) -> None:
    async with async_client.live() as session:
        runs = [await session.chat("Hello.") for _ in range(4)]
        async with asyncio.TaskGroup() as tasks:
            ends = [tasks.create_task(run.final()) for run in runs]
    assert [end.result().final_response for end in ends] == [ANSWER] * 4


def test_a_cut_session_goes_on_where_every_run_was(
    proxy: TcpProxy, client: CartritaApiClient
) -> None:
    """How many events an answer in four parts has depends on how much of it is written in one."""
    with (
        CartritaApiClient(proxy.base, KEY, retry_delay=_QUICK) as cut_off,
        cut_off.live() as session,
    ):
        runs = [session.chat("In four parts."), session.chat("In four parts.")]
        seen = [[next(run)] for run in runs]
        for _ in range(3):
            cut(proxy)
            for run, events in zip(runs, seen, strict=True):
                events.extend(islice(run, 1))
        for run, events in zip(runs, seen, strict=True):
            events.extend(run)
            assert events == list(client.get_run_events(run.run_id))
            assert run.answer == run.final().final_response


async def test_a_cut_session_goes_on_without_blocking(
    proxy: TcpProxy, async_client: AsyncCartritaApiClient
) -> None:
    async with (
        AsyncCartritaApiClient(proxy.base, KEY, retry_delay=_QUICK) as cut_off,
        cut_off.live() as session,
    ):
        run = await session.chat("In four parts.")
        seen = [await anext(run)]
        await asyncio.to_thread(cut, proxy)
        seen.extend([event async for event in run])
    assert seen == [event async for event in async_client.get_run_events(run.run_id)]


def test_a_message_that_was_said_while_nobody_listened_is_stored_once(
    proxy: TcpProxy, client: CartritaApiClient
) -> None:
    with (
        CartritaApiClient(proxy.base, KEY, retry_delay=_QUICK) as cut_off,
        cut_off.live() as session,
    ):
        session.ping()
        conversation = client.create_conversation().id
        cut(proxy)
        runs = [session.chat(f"Hello {n}.", conversation_id=conversation) for n in range(3)]
        ends = [run.final() for run in runs]
    stored = [each for each in client.iter_messages(conversation) if each.role == "user"]
    assert sorted(each.content for each in stored) == ["Hello 0.", "Hello 1.", "Hello 2."]
    assert {end.final_response for end in ends} == {ANSWER}


def test_a_run_is_cancelled(client: CartritaApiClient) -> None:
    with client.live() as session:
        run = session.chat("Go slowly.")
        next(run)
        run.ack()
        run.cancel()
        with pytest.raises(kinds.Cancelled):
            run.final()
    assert client.get_run(run.run_id).status == "cancelled"


def test_a_decision_is_taken_and_a_second_one_is_refused_without_losing_the_run(
    client: CartritaApiClient,
) -> None:
    with client.live() as session:
        run = session.chat("Please calculate.", approval="always")
        asked = next(event for event in run if isinstance(event, ApprovalRequiredFrame))
        wrong = asked.data.model_copy(update={"arguments_hash": "0" * 64})
        with pytest.raises(kinds.Conflict) as refused:
            run.approve(wrong)
        assert refused.value.code == "arguments_changed"
        run.approve(asked.data)
        assert run.final().final_response == "It is 42."


async def test_a_decision_is_taken_without_blocking(async_client: AsyncCartritaApiClient) -> None:
    async with async_client.live() as session:
        run = await session.chat("Please calculate.", approval="always")
        asked = await anext(e async for e in run if isinstance(e, ApprovalRequiredFrame))
        wrong = asked.data.model_copy(update={"approval_id": "appr_nothing"})
        with pytest.raises(kinds.NotFound):
            await run.approve(wrong)
        await run.approve(asked.data, "deny")
        assert (await run.final()).finish_reason


def test_a_run_that_is_not_there_ends_alone(client: CartritaApiClient) -> None:
    with client.live() as session:
        there, missing = session.chat("Hello."), session.follow(f"run_{'0' * 32}")
        with pytest.raises(kinds.NotFound):
            missing.final()
        assert there.final().final_response == ANSWER


def test_a_message_that_is_refused_ends_alone(client: CartritaApiClient) -> None:
    with client.live() as session:
        bad, good = session.chat(""), session.chat("Hello.")
        with pytest.raises(kinds.Invalid) as refused:
            bad.final()
        assert refused.value.fields["message"]
        assert good.final().final_response == ANSWER


def test_whoever_is_not_known_is_told_so(server: Server) -> None:
    with CartritaApiClient(server.base, "ck_nobodys").live() as session:
        run = session.chat("Hello.")
        with pytest.raises(kinds.Unauthenticated):
            run.final()


async def test_whoever_is_not_known_is_told_so_without_blocking(server: Server) -> None:
    async with AsyncCartritaApiClient(server.base, "ck_nobodys").live() as session:
        run = await session.chat("Hello.")
        with pytest.raises(kinds.Unauthenticated):
            await run.final()


def test_nobody_is_there() -> None:
    session = CartritaApiClient(NOBODY, KEY, resumes=1, retry_delay=_QUICK).live()
    with pytest.raises(Unreachable):
        session.chat("Hello.")


def test_a_web_page_opens_no_socket() -> None:
    page = Reply(200, b"<html></html>", media_type="text/html")
    with strange_server(page) as strange:
        session = CartritaApiClient(strange.base, KEY, retry_delay=_QUICK).live()
        with pytest.raises(NotCartrita):
            session.chat("Hello.")
    assert len(strange.asked) == 1


async def test_a_connection_that_breaks_while_it_is_opened_is_opened_again() -> None:
    page = Reply(200, b"<html></html>", media_type="text/html")
    with strange_server(Reply(cut=True), Reply(cut=True), page) as strange:
        session = CartritaApiClient(strange.base, KEY, retry_delay=_QUICK).live()
        with pytest.raises(NotCartrita):
            await asyncio.to_thread(session.chat, "Hello.")
        assert len(strange.asked) == 3
        strange.replies[:] = [Reply(cut=True)]
        other = AsyncCartritaApiClient(strange.base, KEY, retry_delay=_QUICK, resumes=1).live()
        with pytest.raises(Unreachable):
            await other.chat("Hello.")
    assert len(strange.asked) == 5


def test_a_closed_session_says_so(client: CartritaApiClient) -> None:
    session = client.live()
    run = session.chat("Go slowly.")
    next(run)
    session.close()
    with pytest.raises(SessionClosed):
        session.chat("Hello.")
    client.cancel_run(run.run_id)
