"""Tracing: the tracer of this process, where there is somebody to tell."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from typing import Any, cast

from pydantic import BaseModel

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.feedback import UnsentScoreTable
from cartrita.adapters.tracing.contents import Contents
from cartrita.adapters.tracing.policies import Collector, LangfuseProject, TracingPolicy
from cartrita.adapters.tracing.tracers import Tells, Traces
from cartrita.agents.registry import AgentRegistry
from cartrita.application.agent_prompts import AgentPrompts
from cartrita.application.conversations.scores import Scores
from cartrita.domain.ids import RunId
from cartrita.domain.ports.metrics import ScoreCounts
from cartrita.domain.ports.tracing import Tracer
from cartrita.domain.traces import trace_id_of
from cartrita.kit.operator_error import OperatorError
from cartrita.kit.secret import Secret
from cartrita.settings import Settings
from cartrita.settings.tracing import TRACE_ID


@asynccontextmanager
async def open_tracing(settings: Settings) -> AsyncGenerator[Tracer | None]:
    """The tracer, which sends what was noted before it is closed; None where nobody is told."""
    config = settings.tracing
    contents = _contents(settings)
    pipelines = [] if not config.sample else await asyncio.to_thread(_pipelines, settings, contents)
    if not pipelines:
        yield None
        return
    traces = Traces(pipelines, config.sample, keeps_contents=contents.kept)
    try:
        yield traces
    finally:
        await asyncio.to_thread(traces.stop, config.shutdown_s)


@asynccontextmanager
async def open_prompts(
    settings: Settings, agents: AgentRegistry
) -> AsyncGenerator[AgentPrompts | None]:
    """What refreshes the prompts of agents; None where none has one, or Langfuse has no keys."""
    references = {
        entry.id: entry.instructions_prompt.reference
        for entry in settings.agents.entries
        if entry.instructions_prompt is not None
    }
    project = _project(settings)
    if not references or project is None:
        yield None
        return
    config = settings.tracing
    adapter = await asyncio.to_thread(_module, "langfuse_prompts")
    reader = await asyncio.to_thread(adapter.LangfusePrompts, project, config.send_timeout_s)
    try:
        yield AgentPrompts(agents, references, reader, config.prompts_refresh_s)
    finally:
        await reader.close()


@asynccontextmanager
async def open_scores(
    settings: Settings, database: Database, counts: ScoreCounts, tracer: Tracer | None
) -> AsyncGenerator[Scores | None]:
    """What tells Langfuse the feedback on answers; None where it has no traces of them."""
    project = _project(settings)
    if tracer is None or project is None:
        yield None
        return
    adapter = await asyncio.to_thread(_module, "langfuse_scores")
    receiver = adapter.LangfuseScores(_policy(settings), _contents(settings), project)
    try:
        yield Scores(
            UnsentScoreTable(database),
            receiver,
            tracer.samples,
            counts,
            interval_s=settings.tracing.scores_interval_s,
            send_s=settings.tracing.send_timeout_s,
            kept_s=settings.tracing.scores_kept_s,
            settle_s=settings.tracing.scores_settle_s,
        )
    finally:
        await receiver.close()


def trace_links(settings: Settings, tracer: Tracer | None) -> Callable[[RunId], str | None]:
    """Where the trace of a run is shown; None where there is none, or nobody has said where."""
    link = settings.tracing.link

    def linked(run_id: RunId) -> str | None:
        if link is None or tracer is None or not tracer.samples(run_id):
            return None
        return link.replace(TRACE_ID, trace_id_of(run_id))

    return linked


def _pipelines(settings: Settings, contents: Contents) -> list[Tells]:
    policy, opened = _policy(settings), list[Tells]()
    if (project := _project(settings)) is not None:
        opened.append(_module("langfuse_pipeline").open_pipeline(policy, contents, project))
    if settings.otlp.endpoint is not None:
        collector = Collector(address=settings.otlp.endpoint, headers=settings.otlp.headers)
        opened.append(_module("otlp_pipeline").open_pipeline(policy, contents, collector))
    return opened


def _contents(settings: Settings) -> Contents:
    config = settings.tracing
    return Contents(config.contents, config.value_max, _secrets(settings))


def _project(settings: Settings) -> LangfuseProject | None:
    keys = settings.langfuse.keys
    if keys is None:
        return None
    public_key, secret_key = keys
    return LangfuseProject(
        address=settings.langfuse.address, public_key=public_key, secret_key=secret_key
    )


def _policy(settings: Settings) -> TracingPolicy:
    config = settings.tracing
    return TracingPolicy(
        environment=config.environment,
        release=config.release or version("cartrita"),
        flush_s=config.flush_interval_s,
        send_timeout_s=config.send_timeout_s,
        pending_max=config.pending_max,
        pending_bytes=config.pending_bytes,
    )


def _module(name: str) -> Any:  # noqa: ANN401 - its libraries are those of an extra
    """The module of a receiver, loaded where there is one only: it takes a second."""
    try:
        return cast("Any", import_module(f"cartrita.adapters.tracing.{name}"))
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"Traces are to be sent, and {error.name} is not installed: "
            "pip install 'cartrita[tracing]', or remove the keys of Langfuse and "
            "OTEL_EXPORTER_OTLP_ENDPOINT."
        ) from None


def _secrets(value: object) -> Iterator[Secret]:
    """All secrets in these settings."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        for _, one in value:
            yield from _secrets(one)
    elif isinstance(value, dict):
        for one in cast("dict[object, object]", value).values():
            yield from _secrets(one)
    elif isinstance(value, tuple | list):
        for one in cast("tuple[object, ...]", value):
            yield from _secrets(one)
