"""Settings of the cache of answers."""

from typing import Annotated, Literal

from pydantic import Field

from cartrita.settings.fields import Group, Setting


class Cache(Group):
    """Answers that are kept for equal requests, where a request or its route asks for it."""

    store: Annotated[
        Literal["memory", "database"],
        Setting(
            "Where they are kept: by each worker process in its memory, or by all in the database."
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
