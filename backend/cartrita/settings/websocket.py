"""Settings of the WebSocket at /ws/chat."""

from typing import Annotated

from pydantic import Field

from cartrita.settings.fields import Group, Setting


class WebSocket(Group):
    """The WebSocket at /ws/chat: what a client may do, and when it is taken for gone."""

    auth_s: Annotated[
        float,
        Field(ge=0.1, le=600),
        Setting("How long a client may take to send its key; then it is closed with 1008."),
    ] = 10.0
    idle_s: Annotated[
        float,
        Field(ge=0.1, le=86400),
        Setting(
            "How long one on which no answer is followed may be silent; then it is closed with "
            "4408."
        ),
    ] = 600.0
    ping_interval_s: Annotated[
        float, Field(ge=0.1, le=3600), Setting("How often the server asks whether it is alive.")
    ] = 20.0
    ping_timeout_s: Annotated[
        float, Field(ge=0.1, le=3600), Setting("How long the answer to that may take.")
    ] = 20.0
    message_max_bytes: Annotated[
        int,
        Field(ge=1024, le=1 << 26),
        Setting("The longest message of a client; beyond it is 1009."),
    ] = 512 << 10
    frames_per_s: Annotated[
        float,
        Field(ge=1, le=100_000),
        Setting(
            "How many frames a client may send in a second, and four times as many at once; each "
            "16 KiB count as one more. Beyond it is 4429.",
            value="a number from 1 to 100000",
        ),
    ] = 50.0
    runs_max: Annotated[
        int, Field(ge=1, le=1024), Setting("How many answers one socket follows at once.")
    ] = 16
    keyless_max: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Setting(
            "How many sockets from one address may be without a key at once in a worker; beyond it "
            "a handshake is a 429."
        ),
    ] = 1000
    per_owner_max: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Setting("How many sockets of one owner a worker keeps open; beyond it is 4429."),
    ] = 100
