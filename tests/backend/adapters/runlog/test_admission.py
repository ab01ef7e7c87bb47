"""Admission: what a request stores, when its run starts, and when it is refused."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.adapters.runlog.executions import claim_next
from tests.backend.adapters.runlog.fixtures import (
    Cluster,
    admission,
    admit_with_retries,
    has_lock_waits,
    insert_conversation,
    user_message,
)
from tests.backend.adapters.runlog.proxy import Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    RateLimited,
    Unavailable,
)
from cartrita.domain.events import RunStarted
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, Role, Spoken, Text
from cartrita.domain.runs import BusyPolicy, NewMessage, RunStatus
from cartrita.domain.tools import ToolSpec
from cartrita.kit.ids import public, uuid7


async def test_a_new_conversation_with_its_first_message(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        admitted = await log.admission.admit(admission("Hi", title="A title"))
    [conversation] = await cluster.rows("SELECT * FROM conversations")
    [message] = await cluster.rows("SELECT * FROM messages")
    [run] = await cluster.rows("SELECT * FROM runs")
    assert conversation["id"] == admitted.conversation_id == run["conversation_id"]
    assert (conversation["title"], conversation["owner_id"]) == ("A title", "ann")
    assert conversation["head_message_id"] == message["id"] == run["user_message_id"]
    assert (message["parent_id"], message["depth"]) == (None, 0)
    assert (message["role"], message["status"]) == ("user", "complete")
    assert message["parts"] == '[{"text": "Hi", "type": "text"}]'
    assert run["id"] == admitted.run_id
    [(seq, started)] = await cluster.events(admitted.run_id)
    assert seq == 1
    assert started == RunStarted(
        public("conv", admitted.conversation_id),
        public("msg", run["message_id"]),
        "assistant",
        "m",
        "p",
    )


async def test_the_first_event_tells_what_was_said(cluster: Cluster) -> None:
    spoken = Spoken(duration=1.0, provider="deepgram", model="nova-3")
    said = NewMessage(message=Message(Role.USER, (Text("Moss?", spoken=spoken),)))
    async with cluster.replica() as log:
        conversation = await insert_conversation(cluster)
        running, queued = [
            await log.admission.admit(admission(conversation_id=conversation, new_message=said))
            for _ in range(2)
        ]
        await log.cancellation.cancel("ann", queued.run_id)
    for run in (running.run_id, queued.run_id):
        (_, started), *_ = await cluster.events(run)
        assert isinstance(started, RunStarted)
        assert started.heard == "Moss?"


async def test_events_name_a_conversation_by_its_external_id(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        conversation = await insert_conversation(cluster, external_id="theirs")
        admitted = await log.admission.admit(admission(conversation_id=conversation))
        queued = await log.admission.admit(admission(conversation_id=conversation))
        await log.cancellation.cancel("ann", queued.run_id)
    for run in (admitted.run_id, queued.run_id):
        (_, started), *_ = await cluster.events(run)
        assert isinstance(started, RunStarted)
        assert started.conversation_id == "theirs"


async def test_what_a_run_is_to_do_keeps_the_order_of_its_fields(cluster: Cluster) -> None:
    fields: JsonObject = {"z": {"type": "string"}, "abc": {"type": "string"}, "b": {"const": 1}}
    schema: JsonObject = {"type": "object", "required": ["z"], "properties": fields}
    tool = ToolSpec("f", "", schema)
    async with cluster.replica() as log:
        asked = admission()
        await log.admission.admit(replace(asked, input=replace(asked.input, tools=(tool,))))
    [run] = await cluster.rows("SELECT input FROM runs")
    [stored] = json.loads(run["input"])["tools"]
    assert json.dumps(stored["parameters"]) == json.dumps(schema)


async def test_a_full_conversation_queue_is_rate_limited(cluster: Cluster) -> None:
    async with cluster.replica(queue_max=2) as log:
        first = await log.admission.admit(admission())
        into: dict[str, Any] = {"conversation_id": first.conversation_id}
        queued = [await log.admission.admit(admission(**into)) for _ in range(2)]
        assert {item.status for item in queued} == {RunStatus.QUEUED}
        with pytest.raises(RateLimited) as refusal:
            await log.admission.admit(admission(**into))
        assert refusal.value.code == "conversation_queue_full"
        assert await cluster.value("SELECT count(*) FROM messages") == 3


async def test_a_client_msg_id_reused_for_another_message_is_a_conflict(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission("one", client_msg_id="m1"))
        other = await log.admission.admit(admission("elsewhere"))
        again = await log.admission.admit(admission("one", client_msg_id="m1"))
        assert (again.run_id, again.created) == (first.run_id, False)
        for changed in (
            admission("two", client_msg_id="m1"),
            admission("one", client_msg_id="m1", conversation_id=other.conversation_id),
        ):
            with pytest.raises(Conflict) as refusal:
                await log.admission.admit(changed)
            assert refusal.value.code == "client_msg_id_reused"


async def test_reject_stores_nothing(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission())
        with pytest.raises(Conflict) as refusal:
            await log.admission.admit(
                admission(conversation_id=first.conversation_id, busy=BusyPolicy.REJECT)
            )
        assert refusal.value.code == "conversation_busy"
        assert await cluster.value("SELECT count(*) FROM messages") == 1
        assert await cluster.value("SELECT count(*) FROM runs") == 1


async def test_interrupt_cancels_running_and_queued_runs(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission())
        into: dict[str, Any] = {"conversation_id": first.conversation_id}
        waiting = await log.admission.admit(admission(**into))
        last = await log.admission.admit(admission(**into, busy=BusyPolicy.INTERRUPT))
        assert last.status is RunStatus.QUEUED
        found = await cluster.rows(
            "SELECT id, status, cancel_requested_at IS NOT NULL AS asked FROM runs"
            " ORDER BY queue_no"
        )
        assert [tuple(row.values()) for row in found] == [
            (first.run_id, "running", True),
            (waiting.run_id, "cancelled", True),
            (last.run_id, "queued", False),
        ]
        await (await claim_next(log)).cancelled()
        assert (await claim_next(log)).run_id == last.run_id, "the interrupting message is next"
    rows = await cluster.rows(
        "SELECT cartrita_text(parts) AS text FROM messages ORDER BY created_at"
    )
    assert len(rows) == 2, "the message of the cancelled queued run is deleted"


async def test_a_stopping_replica_or_one_without_lease_only_queues_runs(cluster: Cluster) -> None:
    async with cluster.replica(0) as stopping:
        stopping.stop_claiming()
        left = await stopping.admission.admit(admission())
        assert left.status is RunStatus.QUEUED
        assert await stopping.queue.claim() is None
    async with cluster.manual_replica() as without_lease:
        without_lease._replica.lose_lease(without_lease._replica.lease)
        also = await without_lease.admission.admit(admission())
        assert also.status is RunStatus.QUEUED
    async with cluster.manual_replica() as unaware:
        await cluster.connection.execute("UPDATE replicas SET epoch = epoch + 1")
        third = await unaware.admission.admit(admission())
        assert third.status is RunStatus.QUEUED
    async with cluster.replica(1) as heir:
        begun = {(await claim_next(heir)).run_id for _ in range(3)}
    assert begun == {left.run_id, also.run_id, third.run_id}


async def test_last_words_are_begun_by_a_stopping_replica(cluster: Cluster) -> None:
    async with cluster.replica(0) as stopping:
        stopping.stop_claiming()
        said = replace(admission(), last_words=True)
        admitted = await stopping.admission.admit(said)
        assert not stopping.ready
        assert admitted.status is RunStatus.RUNNING
        assert (await claim_next(stopping)).run_id == admitted.run_id


async def test_a_conversation_that_is_unknown_foreign_or_hidden(cluster: Cluster) -> None:
    foreign = await insert_conversation(cluster, owner_id="bob")
    hidden = await insert_conversation(cluster, deleted_at=datetime.now(UTC))
    async with cluster.replica() as log:
        for conversation in (ConversationId(uuid7()), foreign, hidden):
            with pytest.raises(NotFound) as refusal:
                await log.admission.admit(admission(conversation_id=conversation))
            assert refusal.value.code == "conversation_not_found"
    assert await cluster.value("SELECT count(*) FROM messages") == 0


async def test_a_message_that_is_unknown_or_of_another_conversation(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission())
        elsewhere = await cluster.value("SELECT id FROM messages")
        conversation = await insert_conversation(cluster)
        for message in (MessageId(uuid7()), elsewhere):
            pinned = NewMessage(message=user_message("x"), parent_id=message)
            wishes: list[dict[str, Any]] = [{"answer_to": message}, {"new_message": pinned}]
            for wanted in wishes:
                with pytest.raises(NotFound) as refusal:
                    await log.admission.admit(admission(conversation_id=conversation, **wanted))
                assert refusal.value.code == "message_not_found"
    assert await cluster.value("SELECT count(*) FROM runs WHERE id <> $1", first.run_id) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"new_message": NewMessage(message=user_message("a\x00b"))},
        {"new_message": NewMessage(message=user_message("\ud800"))},
        {"title": "a\x00b"},
        {"client_msg_id": "\x00"},
        {"new_message": NewMessage(message=user_message("a"), metadata={"a": "\x00"})},
        {"client_msg_id": "".join(str(uuid7()) for _ in range(400))},
    ],
    ids=["NUL", "surrogate", "title", "client_msg_id", "metadata", "too long for an index"],
)
async def test_unstorable_input_is_invalid(cluster: Cluster, values: dict[str, Any]) -> None:
    async with cluster.replica() as log:
        with pytest.raises(InvalidInput):
            await log.admission.admit(admission(**values))
    assert await cluster.value("SELECT count(*) FROM conversations") == 0


async def test_the_deadline_counts_from_the_start_on_the_database_clock(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cluster.replica(run_timeout_s=100) as log:
        first = await log.admission.admit(admission())
        await log.admission.admit(admission(conversation_id=first.conversation_id))
        await cluster.connection.execute(
            "UPDATE runs SET created_at = created_at - interval '1 hour',"
            " deadline_at = deadline_at - interval '1 hour'"
        )
        execution = await claim_next(log)
        assert 90 < execution.claim.seconds_left <= 100
        await execution.complete()
        waited = await claim_next(log)
        assert 90 < waited.claim.seconds_left <= 100


async def test_an_unreachable_database_is_unavailable(cluster: Cluster, proxy: Proxy) -> None:
    async with cluster.replica(dsn=proxy.dsn, pool_wait_s=0.3) as log:
        proxy.cut(refusing=True)
        with pytest.raises(Unavailable):
            await within(log.admission.admit(admission()))
        proxy.refusing = False
        admitted = await within(admit_with_retries(log))
        assert admitted.created


@pytest.mark.parametrize("sqlstate", ["40P01", "40001", "57014", "55P03", "53200"])
async def test_transient_database_errors_are_unavailable(cluster: Cluster, sqlstate: str) -> None:
    async with cluster.replica() as log, Failing(cluster, sqlstate):
        with pytest.raises(Unavailable) as refusal:
            await log.admission.admit(admission())
        assert refusal.value.retry_after


async def test_repeated_unique_violations_are_unavailable(cluster: Cluster) -> None:
    async with cluster.replica() as log, Failing(cluster, "23505"):
        with pytest.raises(Unavailable):
            await within(log.admission.admit(admission()))


class Failing:
    """Makes each INSERT of a run fail with this SQLSTATE."""

    def __init__(self, cluster: Cluster, sqlstate: str) -> None:
        self._direct = cluster.connection
        self._sqlstate = sqlstate

    async def __aenter__(self) -> None:
        await self._direct.execute(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION 'no' USING ERRCODE = '{self._sqlstate}'; END $$"
        )
        await self._direct.execute(
            "CREATE TRIGGER no BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION no()"
        )

    async def __aexit__(self, *_: object) -> None:
        await self._direct.execute("DROP FUNCTION no() CASCADE")


async def test_the_lock_on_a_conversation_lets_others_refer_to_it(cluster: Cluster) -> None:
    """A cancel checks its foreign key while an interrupting admission waits for its run."""
    async with cluster.replica() as log:
        first = await log.admission.admit(admission())
        queued = await log.admission.admit(admission(conversation_id=first.conversation_id))
        async with cluster.session() as session, asyncio.TaskGroup() as tasks:
            transaction = session.transaction()
            await transaction.start()
            await session.execute("SELECT 1 FROM runs WHERE id = $1 FOR UPDATE", queued.run_id)
            interrupting = tasks.create_task(
                log.admission.admit(
                    admission(conversation_id=first.conversation_id, busy=BusyPolicy.INTERRUPT)
                )
            )
            await until(lambda: has_lock_waits(cluster))
            await session.execute(
                "SELECT 1 FROM conversations WHERE id = $1 FOR KEY SHARE NOWAIT",
                first.conversation_id,
            )
            await transaction.rollback()
            await within(interrupting)
