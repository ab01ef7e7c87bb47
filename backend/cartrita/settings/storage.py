"""Settings of storage: the database, the embedded PostgreSQL, the run log, the history."""

from typing import Annotated

from pydantic import Field

from cartrita.domain.runs import BusyPolicy
from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import DatabaseUrl, Word


class Database(Group):
    """The PostgreSQL database, its connections and its timeouts."""

    url: Annotated[
        DatabaseUrl | None,
        Setting(
            "A PostgreSQL of your own; without it one is started from the data directory.",
            value="postgresql://user:password@host:port/database",
            default="an embedded PostgreSQL",
            secret=True,
        ),
    ] = None
    pool_size: Annotated[
        int, Field(ge=1, le=200), Setting("Connections of each worker for requests.")
    ] = 8
    pool_wait_s: Annotated[
        float,
        Field(ge=0.05, le=60),
        Setting("How long a request waits for a free connection before it is answered 503."),
    ] = 2.0
    connect_timeout_s: Annotated[
        float, Field(ge=0.1, le=120), Setting("How long connecting may take.")
    ] = 5.0
    statement_timeout_s: Annotated[
        float,
        Field(ge=0.1, le=3600),
        Setting("How long a request waits for a statement's end before it is answered 503."),
    ] = 5.0
    log_statement_timeout_s: Annotated[
        float, Field(ge=0.1, le=3600), Setting("How long a statement of the run log may take.")
    ] = 30.0
    idle_in_transaction_s: Annotated[
        float,
        Field(ge=0.1, le=600),
        Setting("When PostgreSQL ends a transaction whose process has stopped."),
    ] = 5.0


class Postgres(Group):
    """The embedded PostgreSQL."""

    run_as: Annotated[
        Word, Setting("The user it runs as where the server was started by root.")
    ] = "nobody"
    max_connections: Annotated[
        int, Field(ge=10, le=1000), Setting("Its connections, those of all workers together.")
    ] = 60
    start_timeout_s: Annotated[
        float, Field(ge=1, le=3600), Setting("How long it may take to start and recover.")
    ] = 60.0


class RunLog(Group):
    """How runs are written, leased, resumed and retained."""

    flush_interval_s: Annotated[
        float, Field(ge=0.001, le=5), Setting("Deltas are committed at least this often.")
    ] = 0.05
    flush_bytes: Annotated[
        int, Field(ge=1, le=1 << 20), Setting("Or when so many of them have gathered.")
    ] = 4096
    lease_s: Annotated[
        float,
        Field(ge=0.3, le=600),
        Setting(
            "After what silence a process counts as dead. It stops writing after two thirds of it; "
            "so long are deltas held, unseen, while the database is away."
        ),
    ] = 15.0
    poll_s: Annotated[
        float,
        Field(ge=0.02, le=60),
        Setting("How often the log is read without being woken; less than lease_s."),
    ] = 0.5
    run_timeout_s: Annotated[float, Field(ge=1, le=604800), Setting("The longest run.")] = 1800.0
    max_attempts: Annotated[
        int, Field(ge=1, le=100), Setting("How often a run nobody has seen is tried.")
    ] = 3
    idempotency_ttl_s: Annotated[
        float, Field(ge=1, le=2592000), Setting("How long an Idempotency-Key is remembered.")
    ] = 86400.0
    fold_after_s: Annotated[
        float, Field(ge=0, le=604800), Setting("When a finished run's events become one row.")
    ] = 60.0
    retention_days: Annotated[
        int, Field(ge=1, le=36500), Setting("How many days a run can be resumed and replayed.")
    ] = 90
    partition_days_ahead: Annotated[
        int, Field(ge=1, le=60), Setting("How many daily partitions are made ahead.")
    ] = 7
    window_bytes: Annotated[
        int, Field(ge=4096, le=1 << 24), Setting("The most that one reader's stream holds ready.")
    ] = 64 << 10
    heartbeat_s: Annotated[
        float, Field(ge=0.05, le=20), Setting("A silent stream gets a comment this often.")
    ] = 15.0
    busy: Annotated[
        BusyPolicy, Setting("What becomes of a message while its conversation is answering.")
    ] = BusyPolicy.ENQUEUE
    queue_max: Annotated[
        int, Field(ge=1, le=10000), Setting("The most messages waiting in one conversation.")
    ] = 20


class History(Group):
    """How much of a conversation a model is given."""

    context_messages: Annotated[int, Field(ge=1, le=10000), Setting("The most messages.")] = 50
    context_chars: Annotated[
        int, Field(ge=1000, le=100_000_000), Setting("The most characters.")
    ] = 100_000
    summaries: Annotated[
        bool,
        Setting("Whether a model summarises what there is no room for; else it is left out."),
    ] = True
    summary_model: Annotated[
        str | None,
        Field(min_length=1, max_length=256),
        Setting(
            "The model or route that summarises. The one that answers if empty.", example="chat"
        ),
    ] = None
    summary_kept: Annotated[
        float,
        Field(ge=0.1, le=0.9),
        Setting("The share of the room that stays as it is when the rest is summarised."),
    ] = 0.5
    summary_timeout_s: Annotated[
        float, Field(ge=1, le=600), Setting("How long a summary is waited for.")
    ] = 60.0
