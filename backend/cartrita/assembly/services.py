"""All use cases, as the surfaces get them."""

from collections.abc import Awaitable, Callable, Mapping

from cartrita.adapters.persistence.agent_activity import AgentActivityTable
from cartrita.adapters.persistence.analytics import AnalyticsTable
from cartrita.adapters.persistence.feedback import FeedbackTable
from cartrita.adapters.persistence.siblings import BranchTable
from cartrita.adapters.persistence.usage_reports import UsageReportTable
from cartrita.adapters.runlog.run_log import RunLog
from cartrita.agents.registry import AgentRegistry
from cartrita.application.access.open_connections import OpenConnections
from cartrita.application.agent_directory import AgentDirectory
from cartrita.application.agent_models import AgentModels
from cartrita.application.analytics import AdminAnalytics
from cartrita.application.code_generation import CodeGeneration
from cartrita.application.completions import Completions
from cartrita.application.conversations.branches import Branches
from cartrita.application.conversations.feedback import AnswerFeedback
from cartrita.application.conversations.messages import Messages
from cartrita.application.conversations.scores import Scores
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.approvals import RunApprovals
from cartrita.application.search.search import Search
from cartrita.application.usage import UsageReports
from cartrita.assembly.authentication import Authentication
from cartrita.assembly.credentials import CredentialParts, create_credentials
from cartrita.assembly.desktops import DesktopParts, create_desktop_services
from cartrita.assembly.files import FileParts
from cartrita.assembly.live_voice import create_live_voice
from cartrita.assembly.models import Models
from cartrita.assembly.runs import create_run_services
from cartrita.assembly.storage import Storage
from cartrita.assembly.tracing import trace_links
from cartrita.assembly.voice import create_voice_services
from cartrita.domain.ports.metrics import MetricsPage
from cartrita.domain.ports.tracing import Tracer
from cartrita.settings import Settings
from cartrita.surfaces.open_sockets import OpenSockets
from cartrita.surfaces.services import Services
from cartrita.tools.toolbox import Toolbox


def create_services(
    settings: Settings,
    storage: Storage,
    models: Models,
    agents: AgentRegistry,
    tools: Toolbox,
    choice: AgentModelChoice,
    authentication: Authentication,
    credentials: CredentialParts,
    files: FileParts,
    desktops: DesktopParts,
    sandbox: str | None,
    tool_servers: Callable[[], Mapping[str, bool]],
    metrics: MetricsPage | None,
    tracer: Tracer | None,
    scores: Scores | None,
) -> Services:
    """The use cases over these parts."""
    conversations, runs, model_runs = create_run_services(
        settings, storage, models, agents, tools, choice, files, tracer
    )
    messages = Messages(storage.messages, storage.items, conversations)
    voice = create_voice_services(settings, storage, models, files, conversations, runs)
    approvals = RunApprovals(storage.run_log.approvals, runs)
    agent_models = AgentModels(agents, settings.openai_compat.model_name)
    return Services(
        runs=runs,
        model_runs=model_runs,
        approvals=approvals,
        conversations=conversations,
        messages=messages,
        branches=Branches(BranchTable(storage.database), conversations, messages),
        feedback=AnswerFeedback(FeedbackTable(storage.database), storage.items, scores),
        search=Search(storage.search),
        web_search=models.searches.web,
        github_search=models.searches.github,
        voice=voice,
        uploads=files.uploads,
        files=files.files,
        file_context=files.context,
        usage=UsageReports(UsageReportTable(storage.database)),
        analytics=AdminAnalytics(AnalyticsTable(storage.database), authentication.tenants),
        agents=agents,
        agent_directory=AgentDirectory(agents, tools, AgentActivityTable(storage.database), choice),
        completions=Completions(models.gateway, agent_models, models.counter),
        key_authentication=authentication.key_authentication,
        api_keys=authentication.api_keys,
        tenants=authentication.tenants,
        users=authentication.users,
        audit=authentication.audit,
        budgets=authentication.budgets,
        credentials=create_credentials(
            settings, credentials, models.key_validator, authentication.api_keys
        ),
        connections=OpenConnections(settings.limits.streams_max),
        login_sessions=authentication.login_sessions,
        tickets=authentication.tickets,
        sockets=OpenSockets(settings.websocket.per_owner_max, settings.websocket.keyless_max),
        live_voice=create_live_voice(settings, models.speech, runs, conversations),
        desktops=create_desktop_services(
            desktops,
            runs,
            approvals,
            conversations,
            storage.run_log.admission,
            voice.in_turn,
        ),
        code=CodeGeneration(models.gateway),
        provider_checks=models.checks,
        models=models.gateway.models,
        health=models.gateway.health,
        ready=_readiness(storage.run_log),
        sandbox=sandbox,
        tool_servers=tool_servers,
        metrics=metrics,
        trace_url=trace_links(settings, tracer),
    )


def _readiness(run_log: RunLog) -> Callable[[], Awaitable[Mapping[str, bool]]]:
    async def ready() -> Mapping[str, bool]:
        return {"database": run_log.ready}

    return ready
