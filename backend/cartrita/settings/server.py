"""Settings of the HTTP server: its socket and its authentication."""

from typing import Annotated, Literal

from pydantic import Field

from cartrita.settings.addresses import is_loopback
from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import Host, LongKey, Networks, Origins, Port


class Server(Group):
    """The address to listen on, how long to wait for clients, and how to stop."""

    host: Annotated[
        Host,
        Setting(
            "What to bind. Anything but a loopback address is open to the network.",
            env="CARTRITA_HOST",
            value="a host name or address",
        ),
    ] = "127.0.0.1"
    port: Annotated[
        Port, Setting("The port to bind; 0 takes any free one.", env="CARTRITA_PORT")
    ] = 8000
    workers: Annotated[
        int, Field(ge=1, le=64), Setting("Worker processes.", env="CARTRITA_WORKERS")
    ] = 1
    cors_origins: Annotated[
        Origins,
        Setting(
            "Browser origins that may call with credentials.",
            env="CARTRITA_CORS_ORIGINS",
            value="origins, separated by commas",
            example="http://localhost:3000",
        ),
    ] = ()
    cors_max_age_s: Annotated[
        float,
        Field(ge=0, le=86400),
        Setting("How long their browsers may remember what they are allowed."),
    ] = 600.0
    hsts_s: Annotated[
        float,
        Field(ge=0, le=63072000),
        Setting(
            "For how long browsers that came by https are to come by nothing else "
            "(Strict-Transport-Security); 0 says nothing."
        ),
    ] = 0.0
    trusted_proxies: Annotated[
        Networks,
        Setting(
            "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
            env="CARTRITA_TRUSTED_PROXIES",
            value="addresses or networks, separated by commas",
            example="10.0.0.0/8",
        ),
    ] = ()
    body_max_bytes: Annotated[
        int, Field(ge=1024, le=1 << 30), Setting("The longest request body; beyond it is 413.")
    ] = 2 << 20
    v1_body_max_bytes: Annotated[
        int,
        Field(ge=1024, le=1 << 30),
        Setting("The same below /v1, where images and files come inside of the body."),
    ] = 32 << 20
    body_timeout_s: Annotated[
        float, Field(ge=0.1, le=600), Setting("How long a request body may take to arrive.")
    ] = 20.0
    header_timeout_s: Annotated[
        float, Field(ge=0.1, le=600), Setting("How long a request's headers may take to arrive.")
    ] = 10.0
    write_timeout_s: Annotated[
        float,
        Field(ge=0.1, le=3600),
        Setting(
            "How long a client may take nothing of what is sent to it; then its connection is "
            "closed, at the latest after twice the time. Runs go on, and can be read again."
        ),
    ] = 120.0
    keepalive_s: Annotated[
        float, Field(ge=1, le=3600), Setting("How long an idle connection is kept.")
    ] = 15.0
    drain_s: Annotated[
        float,
        Field(ge=0, le=600),
        Setting("After SIGTERM, how long runs and answers that are passed on may take to finish."),
    ] = 25.0
    exit_s: Annotated[
        float,
        Field(ge=1, le=660),
        Setting("After SIGTERM, when the process is gone at the latest; more than drain_s."),
    ] = 60.0

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)


class Auth(Group):
    """Who may call."""

    mode: Annotated[
        Literal["keys", "loopback"],
        Setting(
            "`loopback`: callers on this machine need no key; refused unless bound to loopback.",
            env="CARTRITA_AUTH",
        ),
    ] = "keys"
    secret: Annotated[
        LongKey | None,
        Setting(
            "The root of all keys' protection; replicas share it. A file is made without it.",
            env="CARTRITA_SECRET",
            value="at least 32 characters",
            default="kept in the data directory",
            secret=True,
        ),
    ] = None
    bootstrap_key: Annotated[
        LongKey | None,
        Setting(
            "The first API key, for containers; to revoke it, remove it.",
            env="CARTRITA_BOOTSTRAP_KEY",
            value="at least 32 characters",
            default="made and printed once",
            secret=True,
        ),
    ] = None
    session_s: Annotated[
        float, Field(ge=60, le=7776000), Setting("How long a login session lasts.")
    ] = 43200.0
    ticket_s: Annotated[
        float, Field(ge=1, le=3600), Setting("How long a stream ticket can be used.")
    ] = 60.0
    sign_in_code_s: Annotated[
        float, Field(ge=10, le=86400), Setting("How long a printed sign-in link can be used.")
    ] = 600.0
    sweep_s: Annotated[
        float,
        Field(ge=0.01, le=60),
        Setting("How often open streams are looked through for those whose key has expired."),
    ] = 0.5
    rotation_overlap_s: Annotated[
        float,
        Field(ge=0, le=7776000),
        Setting(
            "How long a key or a credential that was rotated goes on working, where the request "
            "does not say."
        ),
    ] = 86400.0
    credentials_secret: Annotated[
        LongKey | None,
        Setting(
            "What protects the keys of providers that callers store; replicas share it.",
            env="CARTRITA_CREDENTIALS_SECRET",
            value="at least 32 characters",
            default="derived from `CARTRITA_SECRET`",
            secret=True,
        ),
    ] = None
    credentials_previous_secret: Annotated[
        LongKey | None,
        Setting(
            "The one before it: what that protects is read, and protected anew at the next start.",
            env="CARTRITA_CREDENTIALS_PREVIOUS_SECRET",
            value="at least 32 characters",
            secret=True,
        ),
    ] = None

    byok: Annotated[
        Literal["loopback", "on", "off"],
        Setting(
            "Who may send a provider's key instead of one of ours: with `loopback`, callers on the "
            "machine of a server that is bound to loopback, and no proxy; with `on`, everybody.",
            env="CARTRITA_BYOK",
        ),
    ] = "loopback"
    byok_ttl_s: Annotated[
        float,
        Field(ge=1, le=86400),
        Setting("How long such a key is good until its provider is asked again."),
    ] = 900.0
    legacy_query_keys: Annotated[
        bool,
        Setting(
            "Whether a key may be in a URL, for older frontends; refused unless bound to loopback.",
            env="CARTRITA_LEGACY_QUERY_KEYS",
        ),
    ] = False
