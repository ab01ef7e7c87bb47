"""Settings of tracing: where traces are sent, how many of them, and what they tell."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import Key, Texts, WebUrl, Word

TRACE_ID: Final = "{trace_id}"

Contents: TypeAlias = Literal["full", "redacted", "none"]


def _has_trace_id(link: str) -> str:
    if TRACE_ID not in link:
        raise ValueError(f"write {TRACE_ID} where the id of a trace stands in its address")
    return link


TraceLink: TypeAlias = Annotated[WebUrl, AfterValidator(_has_trace_id)]


class Langfuse(Group):
    """The Langfuse server that receives traces: Langfuse Cloud, or one of your own from 4.59 on."""

    public_key: Annotated[
        Word | None,
        Setting(
            "The public key of a project. With both of its keys, traces are sent.",
            env="LANGFUSE_PUBLIC_KEY",
            example="pk-lf-...",
        ),
    ] = None
    secret_key: Annotated[
        Key | None, Setting("Its secret key.", env="LANGFUSE_SECRET_KEY", secret=True)
    ] = None
    base_url: Annotated[
        WebUrl | None,
        Setting(
            "Its address.",
            env="LANGFUSE_BASE_URL",
            example="https://langfuse.example.org",
            default="https://cloud.langfuse.com",
        ),
    ] = None
    host: Annotated[
        WebUrl | None,
        Setting(
            "The same, by its older name.",
            env="LANGFUSE_HOST",
            example="https://langfuse.example.org",
        ),
    ] = None

    @property
    def address(self) -> str:
        """Where it is."""
        return self.base_url or self.host or "https://cloud.langfuse.com"

    @property
    def keys(self) -> tuple[str, Key] | None:
        """Its public and secret key, if both are there."""
        if self.public_key is None or self.secret_key is None:
            return None
        return self.public_key, self.secret_key


class Otlp(Group):
    """A collector of OpenTelemetry that receives traces: beside Langfuse, or instead of it."""

    endpoint: Annotated[
        WebUrl | None,
        Setting(
            "Its address; `/v1/traces` is added. With it, traces are sent.",
            env="OTEL_EXPORTER_OTLP_ENDPOINT",
            example="http://localhost:4318",
        ),
    ] = None
    headers: Annotated[
        Key | None,
        Setting(
            "Headers that it wants, as of a key.",
            env="OTEL_EXPORTER_OTLP_HEADERS",
            value="`name=value`, separated by commas, with percent signs as in a URL",
            secret=True,
        ),
    ] = None


class Tracing(Group):
    """What traces tell, and how many there are; they are off without Langfuse and collector."""

    sample: Annotated[
        float,
        Field(ge=0, le=1),
        Setting("The share of runs, and of calls without one, that is traced."),
    ] = 1.0
    contents: Annotated[
        Contents,
        Setting(
            "What of messages, answers and results of tools is sent: all but secrets and files, "
            "their shapes (`redacted`), or nothing."
        ),
    ] = "full"
    value_max: Annotated[
        int,
        Field(ge=100, le=1_000_000),
        Setting("How many characters of one input or output are sent."),
    ] = 20_000
    environment: Annotated[
        Word | None,
        Setting(
            "The environment that traces are of.",
            env="LANGFUSE_TRACING_ENVIRONMENT",
            value="small letters, digits, `-` and `_`, not beginning with `langfuse`",
            example="production",
        ),
    ] = None
    release: Annotated[
        Word | None,
        Setting(
            "The release that they are of.",
            env="LANGFUSE_RELEASE",
            example="2026-11-30",
            default="the version of this server",
        ),
    ] = None
    flush_interval_s: Annotated[
        float, Field(ge=0.05, le=60), Setting("How often they are sent.")
    ] = 1.0
    send_timeout_s: Annotated[
        float, Field(ge=0.1, le=60), Setting("How long one sending may take.")
    ] = 10.0
    pending_max: Annotated[
        int,
        Field(ge=100, le=1_000_000),
        Setting(
            "How many facts wait to be told, and twice as many ends; what comes later is lost, "
            "and counted."
        ),
    ] = 10_000
    pending_bytes: Annotated[
        int,
        Field(ge=1 << 20, le=1 << 32),
        Setting("How many of requests and answers they keep meanwhile, about."),
    ] = 64 << 20
    prompts_refresh_s: Annotated[
        float,
        Field(ge=0.1, le=86_400),
        Setting("How often the prompts of agents are read from Langfuse again."),
    ] = 60.0
    shutdown_s: Annotated[
        float, Field(ge=0, le=60), Setting("How long a stop waits until all is sent.")
    ] = 5.0
    scores_interval_s: Annotated[
        float,
        Field(ge=0.05, le=3600),
        Setting("How soon feedback that was not taken is sent again; later each time."),
    ] = 10.0
    scores_kept_s: Annotated[
        float,
        Field(ge=60, le=365 * 86_400),
        Setting("For how long it is tried."),
    ] = 7 * 86_400.0
    scores_settle_s: Annotated[
        float,
        Field(ge=0, le=60),
        Setting(
            "For how long a score that was taken back is deleted again: Langfuse may show what it "
            "has accepted before only then."
        ),
    ] = 30.0
    link: Annotated[
        TraceLink | None,
        Setting(
            "Where a trace is shown, for links to it from runs and in the console.",
            value="an address with `{trace_id}`",
            example="https://langfuse.example.org/project/my-project/traces/{trace_id}",
        ),
    ] = None
    trusted_keys: Annotated[
        Texts,
        Setting(
            "The API keys of programs whose `traceparent` is believed: traces refer to it.",
            value="ids of keys, separated by commas",
        ),
    ] = ()
