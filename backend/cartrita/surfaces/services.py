"""What the surfaces get from assembly: their configuration and the use cases."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import metadata
from typing import Literal, TypeAlias

import msgspec
from starlette.requests import HTTPConnection
from starlette.types import Scope

from cartrita.agents.registry import AgentRegistry
from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.access.login_sessions import LoginSessions
from cartrita.application.access.open_connections import OpenConnections
from cartrita.application.access.tickets import Tickets
from cartrita.application.accounts.tenants import Tenants
from cartrita.application.accounts.users import Users
from cartrita.application.agent_directory import AgentDirectory
from cartrita.application.analytics import AdminAnalytics
from cartrita.application.audit import AuditLog
from cartrita.application.budgets import Budgets
from cartrita.application.code_generation import CodeGeneration
from cartrita.application.completions import Completions
from cartrita.application.conversations.branches import Branches
from cartrita.application.conversations.conversations import Conversations
from cartrita.application.conversations.feedback import AnswerFeedback
from cartrita.application.conversations.messages import Messages
from cartrita.application.credentials.credentials import Credentials
from cartrita.application.credentials.provider_checks import ProviderChecks
from cartrita.application.desktop.services import DesktopServices
from cartrita.application.files.context import FileContext
from cartrita.application.files.files import Files
from cartrita.application.files.uploads import Uploads
from cartrita.application.keys.api_keys import ApiKeys
from cartrita.application.runs.approvals import RunApprovals
from cartrita.application.runs.model_runs import ModelRuns
from cartrita.application.runs.runs import Runs
from cartrita.application.search.search import Search
from cartrita.application.usage import UsageReports
from cartrita.application.voice.live.conversation import LiveVoice
from cartrita.application.voice.services import VoiceServices
from cartrita.domain.ids import RunId
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.metrics import MetricsPage, RequestCounts
from cartrita.domain.ports.web import GitHubSearch, WebSearch
from cartrita.domain.scopes import Scopes
from cartrita.gateway.health import DeploymentHealth
from cartrita.surfaces.inbound_rates import InboundRate
from cartrita.surfaces.open_sockets import OpenSockets


class SocketLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a WebSocket may be without a key and without a frame, and its most runs at once.

    Times are in seconds.
    """

    auth_s: float = 10.0
    idle_s: float = 600.0
    runs_max: int = 16


class SurfaceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of the surfaces.

    `keyless` is CARTRITA_AUTH=loopback. `cors_origins` are other origins that may send requests
    with credentials, as `scheme://host:port`, and their browsers may remember that for
    `cors_max_age_s`. Browsers are told for `hsts_s` to come by https only. A silent stream gets a
    comment every `heartbeat_s`. `v1` serves the APIs below /v1. `translated_choices` are the most
    answers to one request where each is a call of its own. `inbound_rates` limit the requests.
    `loopback` tells that only this machine can reach the server; `byok` says who may send a
    provider's key instead of one of ours, and `legacy_query_keys` that callers on this machine may
    send a key in the URL. `older_frontends` serves the browser client of the original backend.
    Files have at most `upload_max_bytes` each, `uploads_max` of them come in one request, and that
    takes at most `upload_timeout_s`. A recording has at most `recording_max_bytes`. Callers with
    the `tracing_keys` are believed their traces. Times are in seconds.
    """

    version: str = msgspec.field(default_factory=lambda: metadata.version("cartrita"))
    keyless: bool = False
    loopback: bool = False
    byok: Literal["loopback", "on", "off"] = "off"
    legacy_query_keys: bool = False
    older_frontends: bool = False
    cors_origins: tuple[str, ...] = ()
    cors_max_age_s: float = 600.0
    hsts_s: float = 0.0
    body_max_bytes: int = 2 << 20
    v1_body_max_bytes: int = 32 << 20
    body_timeout_s: float = 20.0
    upload_max_bytes: int = 100 << 20
    uploads_max: int = 20
    upload_timeout_s: float = 3_600.0
    recording_max_bytes: int = 25 << 20
    url_max_bytes: int = 16 << 10
    session_s: float = 43_200.0
    ticket_s: float = 60.0
    heartbeat_s: float = 15.0
    v1: bool = True
    translated_choices: int = 8
    sockets: SocketLimits = SocketLimits()
    inbound_rates: tuple[InboundRate, ...] = ()
    tracing_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, and the `sockets` that are open.

    `connections` are those that keys hold open. `models` lists the models that scopes allow, the
    default first, and `health` those of this process whose last call failed. `ready` reports for
    each part of the server whether it works; it never raises. `sandbox` says how programs of agents
    are shut in, where they are run at all. `tool_servers` tells which servers of tools answer.
    `metrics` is None where nothing is counted.
    """

    runs: Runs
    model_runs: ModelRuns
    approvals: RunApprovals
    conversations: Conversations
    messages: Messages
    branches: Branches
    feedback: AnswerFeedback
    search: Search
    web_search: WebSearch
    github_search: GitHubSearch
    voice: VoiceServices
    uploads: Uploads
    files: Files
    file_context: FileContext
    usage: UsageReports
    analytics: AdminAnalytics
    agents: AgentRegistry
    agent_directory: AgentDirectory
    completions: Completions
    code: CodeGeneration
    provider_checks: ProviderChecks
    key_authentication: KeyAuthentication
    api_keys: ApiKeys
    tenants: Tenants
    users: Users
    audit: AuditLog
    budgets: Budgets
    credentials: Credentials
    connections: OpenConnections
    login_sessions: LoginSessions
    tickets: Tickets
    sockets: OpenSockets
    live_voice: LiveVoice
    desktops: DesktopServices
    models: Callable[[Scopes], Awaitable[Sequence[ModelInfo]]]
    health: Callable[[], Sequence[DeploymentHealth]]
    ready: Callable[[], Awaitable[Mapping[str, bool]]]
    sandbox: str | None
    tool_servers: Callable[[], Mapping[str, bool]]
    metrics: MetricsPage | None
    trace_url: Callable[[RunId], str | None]


ServicesLifespan: TypeAlias = Callable[[], AbstractAsyncContextManager[Services]]
"""Opens the services for the lifetime of the application, and closes them at its end."""


def config_of(connection: HTTPConnection) -> SurfaceConfig:
    """The configuration of the application that handles this request."""
    return config_in(connection.scope)


def config_in(scope: Scope) -> SurfaceConfig:
    """The same, of a request's scope."""
    return scope["app"].state.config


def request_counts_of(connection: HTTPConnection) -> RequestCounts:
    """What counts the requests of the application that handles this one."""
    return connection.app.state.counts


def services_of(connection: HTTPConnection) -> Services:
    """The services that the application's lifespan has opened."""
    return connection.scope["state"]["services"]
