"""A correct run in a database and the record of its reader, for tests that plant violations."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from tests.harness.records import Connection, Plan, ReceivedFrame, Record

Json = dict[str, Any]
PROMPT = "Say two words."
ANSWER = "two words"
USAGE = {"input_tokens": 3, "output_tokens": 2}


@dataclass(frozen=True, slots=True)
class SampleRun:
    """Ids as 32 hexadecimal digits."""

    run: str
    conversation: str
    message: str
    user_message: str
    replica: str
    owner: str = "local"
    events: list[Json] = field(default_factory=list[Json])

    def record(self, *, seen: int | None = None, cursor: int = 0, **plan: Any) -> Record:
        """A client that read events cursor+1..seen (all of them if None) over one connection."""
        planned: Json = {"name": "reader", "token": f"t-{self.run}", **plan}
        record = Record(
            Plan(api_key="k", owner=self.owner, message=PROMPT, model="openai/fake", **planned),
            started=0.0,
            run=self.run,
            outcome="ended",
            finished=9.0,
        )
        connection = Connection(1, "/api/chat/stream", cursor, 0.0, status=200, ended="clean")
        last = len(self.events) if seen is None else seen
        connection.frames = [self.frame(seq) for seq in range(cursor + 1, last + 1)]
        record.connections.append(connection)
        return record

    def frame(self, seq: int, **changed: Any) -> ReceivedFrame:
        """The frame of an event, some of its fields changed."""
        event, data = _native_frame(self, self.events[seq - 1])
        data_text = json.dumps({"event": event, "data": {**data, **changed}}, separators=(",", ":"))
        return ReceivedFrame(1.0, f"run_{self.run}.{seq}", data_text)


def _native_frame(sample: SampleRun, event: Json) -> tuple[str, Json]:
    match event["type"]:
        case "run_started":
            return "stream_start", {
                "conversation_id": event["conversation_id"],
                "run_id": f"run_{sample.run}",
                "message_id": event["message_id"],
                "agent_type": event["agent"],
                "model": event["model"],
            }
        case "text_appended":
            text = event["text"]
            return "token", {"content": text, "delta": text, "position": event["position"]}
        case "call_measured":
            return "metrics", {"tokens_used": 5}
        case _:
            return "done", {
                "final_response": event["text"],
                "conversation_id": event["conversation_id"],
                "message_id": event["message_id"],
                "run_id": f"run_{sample.run}",
                "agent_type": event["agent"],
                "finish_reason": event["finish_reason"],
            }


async def store(dsn: str, *, conversation: str | None = None) -> SampleRun:
    """Write a completed run as the product would."""
    connection: Any = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            run = (await connection.fetchval("SELECT cartrita_uuid7()")).hex
            sample = _make(run, conversation)
            await _store(connection, sample, new=conversation is None)
    finally:
        await connection.close()
    return sample


def _make(run: str, conversation: str | None) -> SampleRun:
    sample = SampleRun(run, conversation or uuid4().hex, uuid4().hex, uuid4().hex, uuid4().hex)
    common = {
        "conversation_id": f"conv_{sample.conversation}",
        "message_id": f"msg_{sample.message}",
        "agent": "assistant",
        "model": "fake",
        "provider": "openai",
    }
    sample.events.extend(
        [
            {"type": "run_started", **common},
            {"type": "text_appended", "text": "two ", "position": 0},
            {"type": "text_appended", "text": "words", "position": 4},
            {"type": "call_measured", "usage": USAGE, "seconds": 0.5},
            {
                "type": "run_completed",
                "text": ANSWER,
                "finish_reason": "stop",
                "usage": USAGE,
                "seconds": 0.5,
                **common,
            },
        ]
    )
    return sample


async def _store(connection: Any, s: SampleRun, *, new: bool) -> None:
    if new:
        await connection.execute(
            "INSERT INTO conversations (id, owner_id, title) VALUES ($1, $2, 'A meeting')",
            UUID(s.conversation),
            s.owner,
        )
    for message, role, text in ((s.user_message, "user", PROMPT), (s.message, "assistant", ANSWER)):
        await connection.execute(
            "INSERT INTO messages"
            " (id, owner_id, conversation_id, depth, role, parts, run_id, usage)"
            " VALUES ($1, $2, $3, 0, $4, $5, $6, $7)",
            UUID(message),
            s.owner,
            UUID(s.conversation),
            role,
            json.dumps([{"type": "text", "text": text}]),
            UUID(s.run) if role == "assistant" else None,
            json.dumps(USAGE),
        )
    await connection.execute(
        "INSERT INTO runs (id, owner_id, conversation_id, user_message_id, message_id, surface,"
        " agent, provider, model, input, status, deadline_at, last_seq, usage, started_at,"
        " ended_at)"
        " VALUES ($1, $2, $3, $4, $5, 'native', 'assistant', 'openai', 'fake', '{}', 'completed',"
        " now() + interval '1 hour', $6, $7, now(), now())",
        UUID(s.run),
        s.owner,
        UUID(s.conversation),
        UUID(s.user_message),
        UUID(s.message),
        len(s.events),
        json.dumps(USAGE),
    )
    for seq, event in enumerate(s.events, 1):
        await connection.execute(
            "INSERT INTO run_events (run_id, seq, data) VALUES ($1, $2, $3)",
            UUID(s.run),
            seq,
            json.dumps(event),
        )
