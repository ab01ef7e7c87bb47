"""The runs: what executes them, and the use cases that start, place and read them."""

from typing import NamedTuple

from cartrita.adapters.persistence.summaries import Summaries
from cartrita.agents.registry import AgentRegistry
from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.conversations.conversations import Conversations
from cartrita.application.history.history import History
from cartrita.application.history.summaries import HistorySummaries
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.execution import Executor
from cartrita.application.runs.model_runs import ModelRuns
from cartrita.application.runs.runs import Runs
from cartrita.application.runs.told_cancellation import ToldCancellation
from cartrita.application.runs.traced_runs import TracedAdmission, TracedRuns
from cartrita.application.runs.work import RunWork
from cartrita.assembly.files import FileParts
from cartrita.assembly.models import Models
from cartrita.assembly.storage import Storage
from cartrita.domain.ports.metrics import RunCounts
from cartrita.domain.ports.runs import RunAdmission
from cartrita.domain.ports.tracing import Tracer
from cartrita.settings import Settings
from cartrita.tools.toolbox import Toolbox


class RunServices(NamedTuple):
    """Conversations, the runs in them, and those that a vendor's request asks for."""

    conversations: Conversations
    runs: Runs
    model_runs: ModelRuns


def create_executor(
    settings: Settings,
    storage: Storage,
    models: Models,
    agents: AgentRegistry,
    tools: Toolbox,
    choice: AgentModelChoice,
    keys: KeyAuthentication,
    files: FileParts,
    counts: RunCounts,
    tracer: Tracer | None,
) -> Executor:
    """Executes the runs of this worker's queue."""
    history = History(
        storage.messages,
        messages=settings.history.context_messages,
        characters=settings.history.context_chars,
        counter=models.counter,
        files=files.context,
        summaries=HistorySummaries(Summaries(storage.database), kept=settings.history.summary_kept),
    )
    log = storage.run_log
    work = RunWork(
        log.writer,
        history,
        models.gateway,
        agents,
        choice,
        tools=tools,
        counter=models.counter,
        keys=keys,
        costs=models.costs,
        approval_s=settings.agents.approval_s,
        unpriced=settings.agents.unpriced == "allow",
        summary_model=settings.history.summary_model,
        summary_s=settings.history.summary_timeout_s if settings.history.summaries else None,
        files=files.context,
    )
    traced = None if tracer is None else TracedRuns(log.writer, tracer)
    return Executor(log.queue, log.writer, work, counts, traced)


def create_run_services(
    settings: Settings,
    storage: Storage,
    models: Models,
    agents: AgentRegistry,
    tools: Toolbox,
    choice: AgentModelChoice,
    files: FileParts,
    tracer: Tracer | None,
) -> RunServices:
    """The use cases of conversations and runs."""
    log = storage.run_log
    admission: RunAdmission = log.admission
    if tracer is not None:
        admission = TracedAdmission(log.admission, tracer)
    conversations = Conversations(
        storage.conversations,
        storage.conversation_removal,
        storage.messages,
        log.reader,
        log.cancellation,
    )
    runs = Runs(
        admission,
        ToldCancellation(log.cancellation, tools),
        log.reader,
        conversations,
        storage.messages,
        models.gateway,
        agents,
        choice,
        files.context,
        tools=tools,
        busy=settings.run_log.busy,
    )
    model_runs = ModelRuns(
        runs,
        admission,
        conversations,
        storage.messages,
        storage.run_removal,
        agents,
        choice,
        files.context,
        busy=settings.run_log.busy,
        agent_context_tokens=settings.openai_compat.max_context_tokens,
    )
    return RunServices(conversations, runs, model_runs)
