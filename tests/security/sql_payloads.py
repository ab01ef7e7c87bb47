"""Texts that would be SQL if any text of a request became part of a query."""

import random

_ENDS_OF_VALUES = (
    "'",
    '"',
    "''",
    "')",
    "'))",
    '")',
    "`",
    "\\'",
    "%27",
    "\u02bc",
    "$$",
    "0",
    "1)",
    "",
)
_STATEMENTS = (
    " OR 1=1",
    " OR '1'='1'",
    " OR true",
    " AND 1=CAST(version() AS int)",
    " AND (SELECT count(*) FROM api_keys)>0",
    " UNION SELECT null,null,null",
    " UNION ALL SELECT id,digest,name FROM api_keys",
    "; DROP TABLE runs CASCADE",
    "; DELETE FROM messages",
    "; UPDATE api_keys SET revoked_at=null",
    "; TRUNCATE conversations CASCADE",
    "; COPY (SELECT 1) TO PROGRAM 'id'",
    "; SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "; NOTIFY runs, 'x'",
    "; SET ROLE postgres",
    "||(SELECT current_setting('data_directory'))",
    "::int",
    " LIMIT 1 OFFSET 0",
    " RETURNING *",
    "{0}",
    "%s%s",
    "$1",
    ":owner_id",
)
_COMMENTS = ("", "--", "-- -", "/*", "#", ";--", " /* x */", "%00", "\x1a")


def corpus(seed: int, number: int) -> list[str]:
    """So many different payloads, always the same ones for a seed."""
    rng = random.Random(seed)
    every = [
        f"{before}{end}{statement}{comment}"
        for before in ("", "x", "admin")
        for end in _ENDS_OF_VALUES
        for statement in _STATEMENTS
        for comment in _COMMENTS
    ]
    return rng.sample(every, number)
