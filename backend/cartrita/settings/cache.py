"""Settings of the cache of answers, and of the Valkey server that it may be kept in."""

from typing import Annotated, Literal

from pydantic import Field

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import ValkeyUrl


class Cache(Group):
    """Answers that are kept for equal requests, where a request or its route asks for it."""

    store: Annotated[
        Literal["memory", "database", "valkey"],
        Setting(
            "Where they are kept: by each worker process in its memory, or by all in the database "
            "or in the Valkey server of valkey.url."
        ),
    ] = "memory"
    ttl_s: Annotated[
        float,
        Field(ge=1, le=2_592_000),
        Setting("For how long, where neither the request nor its route says it."),
    ] = 300.0
    patience_s: Annotated[
        float,
        Field(ge=0.1, le=600),
        Setting(
            "For how long an equal request waits for the one before it, while that one's client "
            "does not read its answer."
        ),
    ] = 5.0
    entries_max: Annotated[
        int, Field(ge=1, le=1_000_000), Setting("The most answers that are kept.")
    ] = 1000
    bytes_max: Annotated[
        int, Field(ge=1 << 10, le=1 << 40), Setting("The most bytes that they take together.")
    ] = 64 << 20
    entry_max_bytes: Annotated[
        int, Field(ge=1 << 10, le=1 << 30), Setting("A longer answer is not kept.")
    ] = 1 << 20


class Valkey(Group):
    """The Valkey server, or a Redis of version 7 or later, that replicas share.

    In it are answers, where `cache.store` says so, and the counts of the limits of providers.
    """

    url: Annotated[
        ValkeyUrl | None,
        Setting(
            "Its address; valkeys:// is TLS, unix:///path a socket. Options of the connection "
            "follow a question mark: valkeys://host:6379/0?ssl_ca_certs=/path/ca.pem.",
            value="valkey://user:password@host:port/number",
            secret=True,
        ),
    ] = None
    timeout_s: Annotated[
        float,
        Field(ge=0.01, le=30),
        Setting("How long an answer is looked for, connecting included."),
    ] = 0.5
    pause_s: Annotated[
        float,
        Field(ge=0.1, le=3600),
        Setting("How long it is left alone after it failed; nothing is found in it meanwhile."),
    ] = 10.0
