"""Idempotency: requests with the same Idempotency-Key or client_msg_id get the same run."""

from uuid import UUID

from cartrita.adapters.runlog.connection import Connection
from cartrita.adapters.runlog.encoding import dump
from cartrita.domain.errors import IdempotencyMismatch
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.runs import Admission, Admitted, Idempotency, RunStatus, message_id_reused

_BY_KEY = """
SELECT i.request_hash, r.id, r.conversation_id, r.status
FROM idempotency i JOIN runs r ON r.id = i.run_id
WHERE i.owner_id = $1 AND i.route = $2 AND i.key = $3 AND i.expires_at > now()
"""
_BY_CLIENT_MSG_ID = """
SELECT r.id, r.conversation_id, r.status,
  ($3::jsonb IS NULL OR m.parts IS NULL OR m.parts = $3)
    AND ($4::uuid IS NULL OR r.conversation_id = $4) AS same
FROM runs r LEFT JOIN messages m ON m.id = r.user_message_id
WHERE r.owner_id = $1 AND r.client_msg_id = $2
"""
_DELETE_EXPIRED_KEY = """
DELETE FROM idempotency WHERE owner_id = $1 AND route = $2 AND key = $3 AND expires_at <= now()
"""
_INSERT_KEY = """
INSERT INTO idempotency (owner_id, route, key, request_hash, run_id, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')
"""
_BIND_KEY = f"{_INSERT_KEY} ON CONFLICT DO NOTHING"


class IdempotencyRecords:
    """Finds and stores the runs of earlier requests; keys expire after `ttl_s` seconds."""

    def __init__(self, *, ttl_s: float) -> None:
        self._ttl_s = ttl_s

    async def find(self, connection: Connection, admission: Admission) -> Admitted | None:
        """The run of an earlier request with the same key or client_msg_id, if there is one.

        Raises IdempotencyMismatch or Conflict if that request was a different one.
        """
        if admission.idempotency is not None:
            found = await _by_key(connection, admission.owner_id, admission.idempotency)
            if found is not None:
                return found
        if admission.client_msg_id is not None:
            return await self._by_client_msg_id(connection, admission)
        return None

    async def earlier(
        self,
        connection: Connection,
        owner_id: str,
        idempotency: Idempotency | None,
        client_msg_id: str | None,
    ) -> Admitted | None:
        """See `EarlierRequests`: the same, before it is known what the message says."""
        if idempotency is not None:
            found = await _by_key(connection, owner_id, idempotency)
            if found is not None:
                return found
        if client_msg_id is None:
            return None
        row = await connection.fetchrow(_BY_CLIENT_MSG_ID, owner_id, client_msg_id, None, None)
        return None if row is None else _admitted(row["id"], row["conversation_id"], row["status"])

    async def store_key(
        self, connection: Connection, owner_id: str, idempotency: Idempotency, run_id: RunId
    ) -> None:
        """Bind a key to its run. Raises UniqueViolationError if another request was first."""
        await self._insert(connection, _INSERT_KEY, owner_id, idempotency, run_id)

    async def bind(
        self, connection: Connection, owner_id: str, idempotency: Idempotency, run_id: RunId
    ) -> None:
        """See `EarlierRequests`."""
        await self._insert(connection, _BIND_KEY, owner_id, idempotency, run_id)

    async def _insert(
        self,
        connection: Connection,
        query: str,
        owner_id: str,
        idempotency: Idempotency,
        run_id: RunId,
    ) -> None:
        name = (owner_id, idempotency.route, idempotency.key)
        await connection.execute(_DELETE_EXPIRED_KEY, *name)
        await connection.execute(query, *name, idempotency.request_hash, run_id, self._ttl_s)

    async def _by_client_msg_id(
        self, connection: Connection, admission: Admission
    ) -> Admitted | None:
        """Find the run by its client_msg_id, and bind the request's key to it too."""
        new = admission.new_message
        row = await connection.fetchrow(
            _BY_CLIENT_MSG_ID,
            admission.owner_id,
            admission.client_msg_id,
            None if new is None else dump(new.message.parts),
            admission.conversation_id,
        )
        if row is None:
            return None
        if not row["same"]:
            raise message_id_reused()
        if admission.idempotency is not None:
            await self.store_key(connection, admission.owner_id, admission.idempotency, row["id"])
        return _admitted(row["id"], row["conversation_id"], row["status"])


async def _by_key(
    connection: Connection, owner_id: str, idempotency: Idempotency
) -> Admitted | None:
    row = await connection.fetchrow(_BY_KEY, owner_id, idempotency.route, idempotency.key)
    if row is None:
        return None
    if row["request_hash"] != idempotency.request_hash:
        raise IdempotencyMismatch(
            "This Idempotency-Key was used with a different request; send a new key."
        )
    return _admitted(row["id"], row["conversation_id"], row["status"])


def _admitted(run_id: UUID, conversation_id: UUID, status: str) -> Admitted:
    return Admitted(
        RunId(run_id), ConversationId(conversation_id), RunStatus(status), created=False
    )
