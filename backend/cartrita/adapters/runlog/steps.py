"""Rows of the run_steps table: what runs have done, written with their events."""

from collections.abc import Sequence

import msgspec

from cartrita.adapters.runlog.connection import Connection, Row
from cartrita.adapters.runlog.encoding import dump
from cartrita.domain.ids import RunId
from cartrita.domain.step_places import StepPlace
from cartrita.domain.step_records import ModelSaid, StepOutput, StepRecord, StepState

_output = msgspec.json.Decoder(StepOutput)

# An intent is replaced by its end; what has an end stays as it is.
_WRITE = """
INSERT INTO run_steps
  (run_id, owner_id, idem_key, step_no, kind, state, seq, input_hash, output, approval_id)
SELECT s.run_id, r.owner_id, s.idem_key, s.step_no, s.kind, s.state, s.seq, s.input_hash, s.output,
       s.approval_id
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::int[], $7::text[],
            $8::json[], $9::uuid[])
  AS s (run_id, idem_key, step_no, kind, state, seq, input_hash, output, approval_id)
JOIN runs r ON r.id = s.run_id
ON CONFLICT (run_id, idem_key) DO UPDATE
  SET state = excluded.state, seq = excluded.seq, output = excluded.output
  WHERE run_steps.state = 'intent'
"""
_CONSUME = """
UPDATE approvals SET consumed_at = now() WHERE id = ANY($1::uuid[]) AND consumed_at IS NULL
"""
_SELECT = """
SELECT idem_key, state, input_hash, output, approval_id FROM run_steps WHERE run_id = $1
ORDER BY seq, idem_key
"""
_LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM run_steps WHERE run_id = $1 AND state <> 'intent'"


class NumberedStep(msgspec.Struct, frozen=True):
    """A record of a run, and the last event that belongs to it."""

    run_id: RunId
    seq: int
    record: StepRecord


async def write_steps(connection: Connection, steps: Sequence[NumberedStep]) -> None:
    """Store records, and consume their approvals. The same records may be stored again.

    Raises IntegrityConstraintViolationError for an approval that is not one of these arguments.
    """
    records = [step.record for step in steps]
    await connection.execute(
        _WRITE,
        [step.run_id for step in steps],
        [record.place.text for record in records],
        [record.place.step_number for record in records],
        ["model" if isinstance(record.output, ModelSaid) else "tool" for record in records],
        [record.state for record in records],
        [step.seq for step in steps],
        [record.input_hash for record in records],
        [None if record.output is None else dump(record.output) for record in records],
        [record.approval_id for record in records],
    )
    consumed = [record.approval_id for record in records if record.approval_id is not None]
    if consumed:
        await connection.execute(_CONSUME, consumed)


async def select_steps(connection: Connection, run_id: RunId) -> tuple[StepRecord, ...]:
    """What a run has done so far. Raises msgspec.ValidationError for what it cannot decode."""
    return tuple(map(_load, await connection.fetch(_SELECT, run_id)))


async def last_step_seq(connection: Connection, run_id: RunId) -> int:
    """The last event of the last finished step; 0 without one."""
    found: int = await connection.fetchval(_LAST_SEQ, run_id)
    return found


def _load(row: Row) -> StepRecord:
    return StepRecord(
        place=StepPlace.parse(row["idem_key"]),
        state=StepState(row["state"]),
        output=None if row["output"] is None else _output.decode(row["output"]),
        input_hash=row["input_hash"],
        approval_id=row["approval_id"],
    )
