# Generated from the contract by `cartrita contract`: do not edit.
"""What the API is sent and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Tag

from cartrita_client.shapes import ABSENT, UNKNOWN, Event, Model, UnknownVariant, tagged

AnalyticsStep: TypeAlias = Literal["day", "week"] | str
"""The length of the intervals of activity: days of UTC, and weeks that begin on Mondays."""

ApprovalPolicy: TypeAlias = Literal["never", "risky", "always"]
"""Which calls of tools a person decides on: none, those that act, or all."""

BudgetPeriod: TypeAlias = Literal["day", "month"] | str
"""In what time a budget may be used: days and months are those of UTC."""

BudgetUnit: TypeAlias = Literal["money", "tokens"] | str
"""What is counted: US dollars, or tokens of input and output together."""

BusyPolicy: TypeAlias = Literal["enqueue", "reject", "interrupt"]
"""What to do with a message for a conversation that has an unfinished run.

`enqueue` adds the message to the queue, `reject` refuses it, and `interrupt` cancels the
unfinished runs, so that this message is answered next.
"""

CredentialState: TypeAlias = Literal["active", "retiring", "revoked"] | str
"""What a stored credential is used for.

`active` pays for new calls. `retiring` was replaced, and pays for calls that had begun.
`revoked` pays for nothing, and its key is deleted.
"""

DateRange: TypeAlias = Literal["all", "today", "week", "month", "year"]
"""How far back to search; `today` starts at midnight UTC."""

DesktopIsolation: TypeAlias = Literal["bubblewrap", "container", "plain"] | str
"""What keeps a desktop from the machine; `plain` is a process of the same user with limits."""

DesktopStatus: TypeAlias = Literal["starting", "ready", "stopped", "failed"] | str
"""What became of a desktop."""

FileStatus: TypeAlias = Literal["stored", "reading", "ready", "unreadable"] | str
"""What became of a file: it waits to be read, is being read, was read, or cannot be read."""

GitHubKind: TypeAlias = Literal["repositories", "code", "issues"] | str
"""What is searched. Code is searched only for who has a token."""

KeyOperation: TypeAlias = Literal[
    "chat",
    "embeddings",
    "search",
    "voice",
    "desktop",
    "desktop:never",
    "conversations",
    "keys",
    "admin",
]
"""What keys are used for; a route or a call is of one of them.

`chat` asks models for answers, in runs or without; `embeddings` asks them for vectors;
`search` searches the web and GitHub; `voice` transcribes what is said, and speaks;
`desktop` starts, watches and controls desktops, and `desktop:never` lets agents use them
without asking; `conversations` reads and changes what is stored; `keys` makes and ends keys of
the same user; `admin` administers the tenant of a user who may.
"""

RunStatus: TypeAlias = (
    Literal[
        "queued",
        "running",
        "waiting",
        "completed",
        "failed",
        "cancelled",
        "interrupted",
    ]
    | str
)
"""How far a run is: one that waits does so for a person, and the last four are ends."""

SearchKind: TypeAlias = Literal["conversation", "message", "file", "agent"] | str
"""The kinds of things that a search can find."""

SortBy: TypeAlias = Literal["relevance", "date", "title"]
"""The order of search results."""

SubjectKind: TypeAlias = Literal["key", "user", "tenant"] | str
"""What a budget is of."""

TimeRange: TypeAlias = Literal["day", "week", "month", "year"]
"""How old what is found may be."""

TimelineStep: TypeAlias = Literal["hour", "day"] | str
"""The length of a timeline's intervals, which begin with the hours and days of UTC."""

Topic: TypeAlias = Literal["general", "news", "finance"]
"""What kind of pages are searched; engines without a topic search them all."""

UsageGrouping: TypeAlias = (
    Literal[
        "model",
        "provider",
        "surface",
        "day",
        "agent",
        "key",
        "conversation",
    ]
    | str
)
"""What a report of usage adds up by: days are those of UTC."""

UserRole: TypeAlias = Literal["admin", "member"] | str
"""What a user is in a tenant; admins of the tenant `local` administer the server."""


class AcceptedFrame(Model):
    """A message with a `client_msg_id` is stored; `created` is false if it was already."""

    type: Literal["accepted"] = "accepted"
    """Which it is."""
    client_msg_id: str = ABSENT
    """The id that the client gave its message."""
    run_id: str = ABSENT
    """The id of the run."""
    created: bool = ABSENT
    """False if the message was stored already."""


class AckFrame(Model):
    """Tells what was received. The server keeps no cursor, so that it changes nothing."""

    type: Literal["ack"] = "ack"
    """Which it is."""
    run_id: str
    """The id of the run."""
    seq: int
    """The number of the event in its run; what follows it is asked for by this number."""


class ActionMarker(Model):
    """Where an action is done; `index` is its place in the call, from 1."""

    index: int = ABSENT
    """The n of its `[n]` mark, from 1."""
    action: str = ABSENT
    """What is done."""
    points: list[ScreenPoint] = ABSENT
    """Where; of a drag all places, of a part of the screen two corners."""


class ActivityView(Model):
    """Who did something in one interval."""

    at: datetime = ABSENT
    """When the interval begins."""
    active_users: int = ABSENT
    """Users who had a run or a call of a model."""
    active_conversations: int = ABSENT
    """Conversations in which there was a run."""
    runs: int = ABSENT
    """Runs that were asked for."""


class AgentDiscovery(Model):
    """All agents."""

    agents: list[AgentInfo] = ABSENT
    """The agents."""
    total: int = ABSENT
    """How many there are."""


class AgentInfo(Model):
    """An agent."""

    id: str = ABSENT
    """Its id."""
    name: str = ABSENT
    """Its name."""
    type: str = ABSENT
    """The same as `id`."""
    status: Literal["idle", "busy", "offline"] | str = ABSENT
    """Busy while it works for you; offline without a model that you may use."""
    model: str | None = ABSENT
    """What it begins with where the request names none; null if it is offline."""
    description: str = ABSENT
    """What it is for."""
    capabilities: list[str] = ABSENT
    """What it can do."""
    version: str = ABSENT
    """Its version."""
    last_used_at: datetime | None = ABSENT
    """Null: not lately."""
    usage_count: int = ABSENT
    """Its answers to you, and its tasks within any, of the last 30 days."""
    metadata: dict[str, Any] = ABSENT
    """What was stored with it, or comes along."""


class AgentUseView(Model):
    """What one agent did for an answer; `cost` is in US dollars, null where no price is known."""

    agent: str = ABSENT
    """The id of the agent."""
    model_calls: int = ABSENT
    """Calls of models."""
    token_usage: TokenUsage = ABSENT
    """What it took of tokens."""
    cost: float | None = ABSENT
    """US dollars; null where no price is known."""


class AnalyticsReport(Model):
    """How much the server is used, how well it answers, and who spends how much."""

    step: AnalyticsStep = ABSENT
    """How long one interval is."""
    active_users: int = ABSENT
    """In the whole time."""
    active_conversations: int = ABSENT
    """In the whole time."""
    activity: list[ActivityView] = ABSENT
    """Intervals that have any, oldest first."""
    runs: list[StatusCountView] = ABSENT
    """Those that were asked for, by status."""
    surfaces: list[SurfaceView] = ABSENT
    """Those with the most calls first."""
    providers: list[ProviderQualityView] = ABSENT
    """Those with the most calls first."""
    spenders: list[SpenderView] = ABSENT
    """The 100 users who spent the most."""


class AnswerLimits(Model):
    """What one answer may take at most; the agent's own limits count too."""

    steps: int | None = None
    """A call of a model with its tools is one."""
    tokens: int | None = None
    """Read and written."""
    cost: float | None = None
    """US dollars."""
    seconds: float | None = None
    """From its beginning to its end."""


class ApprovalRequiredData(Model):
    """What a tool wants to do, for a person to decide on."""

    approval_id: str = ABSENT
    """The id of the approval."""
    call_id: str = ABSENT
    """The id of the call."""
    tool_name: str = ABSENT
    """The name of the tool."""
    arguments: dict[str, Any] = ABSENT
    """What the tool is called with."""
    arguments_hash: str = ABSENT
    """Sent back with the decision."""
    expires_at: str = ABSENT
    """Without a decision until then it is denied."""
    task_id: str | None = None
    """The task for which it was done."""
    screenshot_url: str | None = None
    """The screen on which it would act."""
    markers: list[ActionMarker] | None = None
    """Where on that it would act."""


class ApprovalRequiredFrame(Event):
    """The run waits for a person: see `POST /api/runs/{run_id}/approvals/{approval_id}`."""

    event: Literal["approval_required"] = "approval_required"
    """Which event it is."""
    data: ApprovalRequiredData = ABSENT
    """What belongs to the event."""


class ApprovalView(Model):
    """A call that waits for a decision."""

    approval_id: str = ABSENT
    """The id of the approval."""
    call_id: str = ABSENT
    """The id of the call."""
    agent_type: str = ABSENT
    """The id of the agent that answers."""
    tool_name: str = ABSENT
    """The name of the tool."""
    arguments: dict[str, Any] = ABSENT
    """What the tool is called with."""
    arguments_hash: str = ABSENT
    """Sent back with the decision."""
    expires_at: datetime = ABSENT
    """Without a decision until then it is denied."""
    screenshot_url: str | None = None
    """The screen on which it would act, if it is of a desktop."""
    markers: list[ActionMarker] | None = None
    """Where on that it would act."""


class ApproveFrame(Model):
    """Decides on an approval that a run waits for; the run's events tell what comes of it."""

    decision: Literal["approve", "deny"]
    """What the person says."""
    arguments_hash: str
    """Of the arguments that the person has seen."""
    type: Literal["approve"] = "approve"
    """Which it is."""
    run_id: str
    """The id of the run."""
    approval_id: str
    """The id of the approval."""


class AttachmentPart(Model):
    """A file: a stored one by `attachment_id`, or any other by URL (`data:` included).

    `detail` is how closely a model should look at an image; `context` says what a document is;
    `cited` asks for citations of it.
    """

    type: Literal["attachment"] = "attachment"
    """Which it is."""
    media_type: str = ABSENT
    """As in `image/png`."""
    attachment_id: str | None = None
    """The id of a stored file."""
    url: str | None = None
    """Where it is."""
    name: str | None = None
    """Its name."""
    detail: str | None = None
    """How closely a model should look at an image."""
    context: str | None = None
    """What a document is."""
    cited: bool = False
    """Whether citations of it were asked for."""
    cache: CacheBreakpoint | None = None
    """Where a provider was asked to cache up to."""


class AuditEntryPage(Model):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[AuditEntryView] = ABSENT
    """What was asked for, in its order."""
    next_cursor: str | None = ABSENT
    """Requests the next page; null on the last."""


class AuditEntryView(Model):
    """A change of a key, a user or a tenant, and who made it."""

    id: str = ABSENT
    """Its id."""
    at: datetime = ABSENT
    """When it was done."""
    actor_key_id: str = ABSENT
    """`cli` for the command line."""
    actor_owner_id: str = ABSENT
    """The user who did it."""
    tenant_id: str = ABSENT
    """The id of the tenant."""
    action: str = ABSENT
    """What was done."""
    object: str = ABSENT
    """The id of what was changed."""
    details: dict[str, Any] = ABSENT
    """Further details."""
    address: str | None = ABSENT
    """The address that it came from; null for the command line."""


class AuthFrame(Model):
    """Says who calls. The first frame, unless the handshake has said it."""

    type: Literal["auth"] = "auth"
    """Which it is."""
    api_key: str
    """A key of this server, or of a provider."""
    provider: str | None = None
    """Whose key it is, if it is a provider's."""


class BranchList(Model):
    """Every place where a conversation branches; of more than 1,000 the lowest."""

    items: list[SiblingsView] = ABSENT
    """What was asked for, in its order."""
    total: int = ABSENT
    """How many there are."""


class BudgetList(Model):
    """The budgets of one key, user or tenant."""

    items: list[BudgetView] = ABSENT
    """What was asked for, in its order."""


class BudgetView(Model):
    """A budget and what was used of it in this period. Amounts are US dollars, or tokens."""

    subject: SubjectKind = ABSENT
    """Whose budget it is."""
    subject_id: str = ABSENT
    """The id of the key, user or tenant."""
    period: BudgetPeriod = ABSENT
    """How often it begins anew."""
    unit: BudgetUnit = ABSENT
    """What is counted."""
    amount: str = ABSENT
    """How much may be used in a period."""
    used: str = ABSENT
    """By calls that have ended, a second or so after that."""
    left: str = ABSENT
    """How much of it can still be used."""
    set_aside: str = ABSENT
    """Of what is left, for calls that run or may soon begin."""
    overrun: str = ABSENT
    """Of what was used, that which providers used beyond what they were asked for."""
    resets_at: datetime = ABSENT
    """When the next period begins."""


class BudgetsBody(Model):
    """All budgets of a key, a user or a tenant, by days and months of UTC."""

    day: PeriodBudget | None = None
    """For each day."""
    month: PeriodBudget | None = None
    """For each month."""


class CacheBreakpoint(Model):
    """The provider should cache everything up to the end of what holds this, for `ttl`."""

    ttl: str | None = None
    """For how long."""


class CancelFrame(Model):
    """Cancels a run; its last event tells that it has ended."""

    type: Literal["cancel"] = "cancel"
    """Which it is."""
    run_id: str
    """The id of the run."""


class ChatFrame(Model):
    """A message to be answered; its events follow."""

    message: str
    """What is said."""
    type: Literal["chat"] = "chat"
    """Which it is."""
    client_msg_id: str | None = None
    """Makes this message one, however often it is sent."""
    provider: str | None = None
    """A configured provider; without it the assistant chooses."""
    model: str | None = None
    """The name of the model."""
    context: Sequence[EarlierMessage] | Mapping[str, Any] | None = None
    """Earlier messages from elsewhere, oldest first."""
    agent_override: str | None = None
    """The agent that answers."""
    temperature: float | None = None
    """The higher the freer."""
    max_tokens: int | None = None
    """The answer takes no more."""
    tools: Sequence[str] | None = None
    """Names of tools that the answer may use."""
    attachments: Sequence[str] | None = None
    """Ids of files that belong to the message."""
    system: str | None = None
    """Instructions for this answer."""
    stream: bool = False
    """Answer as text/event-stream."""
    metadata: Mapping[str, Any] | None = None
    """What was stored with it, or comes along."""
    limits: AnswerLimits | None = None
    """What the answer may take."""
    approval: ApprovalPolicy | None = None
    """Which calls of tools a person decides on; it can only be tightened."""
    busy: BusyPolicy | None = None
    """What to do while the conversation's last answer is being written; without it the server's
    setting counts.
    """
    conversation_id: str | None = None
    """The conversation to continue; without it one is made."""
    client_seq: int | None = None
    """Its number among the numbered messages of this socket, from 1: it waits for those before
    it.
    """


class ChatMetadata(Model):
    """Who worked for an answer, in how many steps (a model call and its tools each) and seconds.

    `limit_reached` is what was used up when the agent had to conclude: steps, tokens, cost or
    seconds. `failovers` are deployments that failed before another one answered, and `receipts`
    what the translation of the request could not carry over exactly.
    """

    agents_used: list[str] = ABSENT
    """The ids of the agents that worked for it."""
    agents: list[AgentUseView] = ABSENT
    """What each agent did."""
    limit_reached: str | None = ABSENT
    """What was used up when the agent had to conclude."""
    iterations: int = ABSENT
    """Steps: a call of a model with its tools is one."""
    execution_time_seconds: float = ABSENT
    """From its beginning to its end."""
    trace_id: str = ABSENT
    """The id of its trace."""
    failovers: list[dict[str, Any]] = ABSENT
    """Deployments that failed before another one answered."""
    receipts: list[dict[str, Any]] = ABSENT
    """What the translation of the request could not carry over exactly."""


class ChatRequest(Model):
    """A message to be answered, in a conversation or in a new one."""

    message: str
    """What is said."""
    client_msg_id: str | None = None
    """Makes this message one, however often it is sent."""
    provider: str | None = None
    """A configured provider; without it the assistant chooses."""
    model: str | None = None
    """The name of the model."""
    context: Sequence[EarlierMessage] | Mapping[str, Any] | None = None
    """Earlier messages from elsewhere, oldest first."""
    agent_override: str | None = None
    """The agent that answers."""
    temperature: float | None = None
    """The higher the freer."""
    max_tokens: int | None = None
    """The answer takes no more."""
    tools: Sequence[str] | None = None
    """Names of tools that the answer may use."""
    attachments: Sequence[str] | None = None
    """Ids of files that belong to the message."""
    system: str | None = None
    """Instructions for this answer."""
    stream: bool = False
    """Answer as text/event-stream."""
    metadata: Mapping[str, Any] | None = None
    """What was stored with it, or comes along."""
    limits: AnswerLimits | None = None
    """What the answer may take."""
    approval: ApprovalPolicy | None = None
    """Which calls of tools a person decides on; it can only be tightened."""
    busy: BusyPolicy | None = None
    """What to do while the conversation's last answer is being written; without it the server's
    setting counts.
    """
    conversation_id: str | None = None
    """The conversation to continue; without it one is made."""


class ChatResponse(Model):
    """A complete answer."""

    response: str = ABSENT
    """The text of the answer."""
    conversation_id: str = ABSENT
    """The id of the conversation."""
    message_id: str = ABSENT
    """The id of the message."""
    run_id: str = ABSENT
    """The id of the run."""
    agent_type: str = ABSENT
    """The id of the agent that answers."""
    model: str = ABSENT
    """The name of the model."""
    model_used: str = ABSENT
    """The same as `model`."""
    provider: str = ABSENT
    """The name of the provider."""
    message: MessageView = ABSENT
    """The answer, as it is stored."""
    token_usage: TokenUsage = ABSENT
    """What it took of tokens."""
    processing_time: float = ABSENT
    """Seconds."""
    sources: list[Source] = ABSENT
    """What the answer cites."""
    finish_reason: str = ABSENT
    """Why the answer ends: `stop`, `length`, `tool_call`, `content_filter` or `error`."""
    metadata: ChatMetadata = ABSENT
    """Who worked for it, and how."""


class CheckRequest(Model):
    """How thorough a test is."""

    full: bool = False
    """Also call a model at each endpoint, whole and streamed."""


class CheckStepView(Model):
    """One step of a test."""

    name: str = ABSENT
    """Its name."""
    ok: bool = ABSENT
    """Whether it works."""
    seconds: float = ABSENT
    """How long it took."""
    detail: str = ABSENT
    """What was found."""
    code: str | None = ABSENT
    """Stable, for programs."""
    status: int | None = ABSENT
    """The HTTP status of the provider, if there was one."""
    advice: str | None = ABSENT
    """What to do about a failure."""


class CitationPart(Model):
    """The source of the text before it; `index` is the n of its `[n]` mark, from 1.

    `start` and `end` are the code points of that text which it supports. `vendor` is the
    citation
    as its `origin`, a dialect, wrote it, for the details that only that one knows.
    """

    type: Literal["citation"] = "citation"
    """Which it is."""
    title: str = ABSENT
    """Its title."""
    url: str | None = None
    """Where it is."""
    snippet: str | None = None
    """Words of the source."""
    index: int = 1
    """The n of its `[n]` mark, from 1."""
    start: int | None = None
    """Where what the source supports begins, in code points of the text before it."""
    end: int | None = None
    """Where what the source supports ends, in code points of the text before it."""
    origin: str | None = None
    """Never shown."""
    vendor: dict[str, Any] | None = None
    """Never shown."""


class CodeRequest(Model):
    """A task that code solves."""

    task: str
    """What is to be done."""
    language: str | None = None
    """A programming language."""
    model: str | None = None
    """Without it the route `code` answers."""


class CodeResponse(Model):
    """The first code block of the answer, and what was said around it."""

    code: str = ABSENT
    """The whole answer if it holds no code block."""
    language: str = ABSENT
    """As requested, else as the block says, else `python`."""
    explanation: str = ABSENT
    """What was said around the code."""
    model: str = ABSENT
    """The name of the model."""


class ComputerStep(Model):
    """One action on a desktop."""

    index: int = ABSENT
    """From 1."""
    action: str = ABSENT
    """What was to be done."""
    arguments: dict[str, Any] = ABSENT
    """With what."""
    duration_ms: float = ABSENT
    """Milliseconds."""
    screenshot_url: str | None = None
    """How it looked afterwards."""
    approved_by: str | None = None
    """Who approved of it."""
    error: str | None = None
    """Why it was not done, or not to its end; null if it was done."""


class ComputerUseRequest(Model):
    """A task for an agent that sees a desktop and uses it."""

    task: str
    """What is to be done."""
    session_id: str | None = None
    """The desktop to go on with; without it a new one."""
    max_steps: int | None = None
    """After so many the task ends."""
    approval: ApprovalPolicy | None = None
    """Which actions a person decides on."""
    provider: str | None = None
    """A configured provider; `any` lets the server choose."""
    model: str | None = None
    """A model that sees."""
    timeout_s: float | None = None
    """After so many seconds the task ends."""
    stream: bool = False
    """Answer as text/event-stream."""
    secrets: Mapping[str, str] | None = None
    """Texts by names. The agent knows the names and can have them typed; they are stored
    nowhere. They are of one line, without control characters.
    """


class ComputerUseResponse(Model):
    """What became of a task on a desktop."""

    run_id: str = ABSENT
    """The run that did it."""
    session_id: str = ABSENT
    """The desktop."""
    conversation_id: str = ABSENT
    """The conversation of the desktop."""
    status: str = ABSENT
    """How the run ended, or that it waits."""
    result: str = ABSENT
    """What the agent says of it."""
    steps: list[ComputerStep] = ABSENT
    """What it did, and what was refused or broke off: each of these has an `error`."""
    processing_time: float = ABSENT
    """Seconds."""
    token_usage: TokenUsage = ABSENT
    """What the models used."""
    finish_reason: str | None = None
    """Why it ended: `stop`, or `length` when something was used up before it was done; null
    while it waits.
    """
    limit_reached: str | None = None
    """What was used up: `steps`, `tokens`, `cost` or `seconds`; null if nothing."""
    live_url: str | None = None
    """Where the desktop is seen."""
    approvals: list[ApprovalView] | None = None
    """What it waits for."""


class ControlRequest(Model):
    """Who is to use a desktop."""

    action: Literal["take", "release"]
    """`take` again before the lease is over keeps it."""
    note: str | None = None
    """What the film says of it."""


class ControlView(Model):
    """A person uses the desktop, and nothing that agents want is done."""

    mine: bool = ABSENT
    """Whether it is the caller."""
    expires_at: datetime = ABSENT
    """Until when, unless it is taken again."""


class ConversationPage(Model):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[ConversationView] = ABSENT
    """What was asked for, in its order."""
    next_cursor: str | None = ABSENT
    """Requests the next page; null on the last."""


class ConversationPatch(Model):
    """The fields to change."""

    title: str | None = None
    """Its title."""
    archived: bool | None = None
    """Whether lists omit it by default."""
    pinned: bool | None = None
    """Whether lists begin with it."""
    tags: Sequence[str] | None = None
    """Words to find it by."""
    metadata: Mapping[str, Any] | None = None
    """What was stored with it, or comes along."""


class ConversationView(Model):
    """A conversation without its messages."""

    id: str = ABSENT
    """Generated, or the `external_id` of its creator."""
    title: str = ABSENT
    """Its title."""
    archived: bool = ABSENT
    """Whether lists omit it by default."""
    pinned: bool = ABSENT
    """Whether lists begin with it."""
    tags: list[str] = ABSENT
    """Words to find it by."""
    metadata: dict[str, Any] = ABSENT
    """What was stored with it, or comes along."""
    head_message_id: str | None = ABSENT
    """The end of its current branch."""
    created_at: datetime = ABSENT
    """When it was made."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class CredentialPage(Model):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[CredentialView] = ABSENT
    """What was asked for, in its order."""
    next_cursor: str | None = ABSENT
    """Requests the next page; null on the last."""


class CredentialRotation(Model):
    """The key that replaces another, and for how long that goes on paying for open answers."""

    key: str
    """The provider's key. It is stored encrypted, and never shown again."""
    overlap_seconds: float | None = None
    """For how long the old one goes on working."""


class CredentialView(Model):
    """A credential without its key."""

    id: str = ABSENT
    """Its id."""
    provider: str = ABSENT
    """The name of the provider."""
    shared: bool = ABSENT
    """Whether it is the tenant's; else it is your own."""
    state: CredentialState = ABSENT
    """Whether it pays for calls."""
    version: int = ABSENT
    """Counts those of the same owner and provider."""
    hint: str = ABSENT
    """The end of the key, of four characters at most."""
    created_at: datetime = ABSENT
    """When it was made."""
    validated_at: datetime = ABSENT
    """When the provider accepted it."""
    retires_at: datetime | None = ABSENT
    """When it ends because it has a successor."""
    revoked_at: datetime | None = ABSENT
    """When it was revoked; null if it was not."""


class DecisionRequest(Model):
    """A person's decision on the call of a tool."""

    decision: Literal["approve", "deny"]
    """What the person says."""
    arguments_hash: str
    """Of the arguments that the person has seen."""


class DeploymentHealthView(Model):
    """A model whose last call failed, as this process has seen it."""

    model: str = ABSENT
    """The name of the model."""
    state: str = ABSENT
    """ok, failing, ejected, limited or exhausted"""
    failures: int = ABSENT
    """How often in a row."""
    seconds: float = ABSENT
    """Until it is called again."""
    code: str = ABSENT
    """Of its last error."""


class DesktopPage(Model):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[DesktopView] = ABSENT
    """What was asked for, in its order."""
    next_cursor: str | None = ABSENT
    """Requests the next page; null on the last."""


class DesktopReadiness(Model):
    """How desktops are shut in, what has to be installed first, and what is weaker here."""

    isolation: str = ABSENT
    """`bubblewrap`, `container`, `plain` or `none`."""
    missing: list[str] = ABSENT
    """Lines that install what is missing."""
    without: list[str] = ABSENT
    """What else shuts them in, and cannot here: they start without it."""


class DesktopRequest(Model):
    """A desktop that is to be started."""

    conversation_id: str | None = None
    """The conversation that it is of; without it a new one."""


class DesktopView(Model):
    """A desktop, as it is or was."""

    id: str = ABSENT
    """The desktop."""
    conversation_id: str = ABSENT
    """The id of the conversation."""
    status: DesktopStatus = ABSENT
    """What became of it."""
    width: int = ABSENT
    """Of its screen, in pixels."""
    height: int = ABSENT
    """Of its screen, in pixels."""
    isolation: DesktopIsolation = ABSENT
    """What keeps it from the machine."""
    created_at: datetime = ABSENT
    """When it was made."""
    used_at: datetime = ABSENT
    """When it was last used."""
    expires_at: datetime = ABSENT
    """When it is ended at the latest."""
    control: ControlView | None = ABSENT
    """Without it agents use the desktop."""
    reason: str | None = ABSENT
    """Why it ended."""
    live_url: str | None = ABSENT
    """The socket on which it is seen; null once it ended."""


class DoneData(Model):
    """The whole answer."""

    final_response: str = ABSENT
    """The text of the answer."""
    conversation_id: str = ABSENT
    """The id of the conversation."""
    message_id: str = ABSENT
    """The id of the message."""
    run_id: str = ABSENT
    """The id of the run."""
    agent_type: str = ABSENT
    """The id of the agent that answers."""
    token_usage: TokenUsage = ABSENT
    """What it took of tokens."""
    processing_time: float = ABSENT
    """Seconds."""
    sources: list[Source] = ABSENT
    """What the answer cites."""
    finish_reason: str = ABSENT
    """Why the answer ends: `stop`, `length`, `tool_call`, `content_filter` or `error`."""
    metadata: ChatMetadata = ABSENT
    """Who worked for it, and how."""


class DoneFrame(Event):
    """The answer is complete. Terminal."""

    event: Literal["done"] = "done"
    """Which event it is."""
    data: DoneData = ABSENT
    """What belongs to the event."""


class DonePlace(Model):
    """The same for `done`, with what older frontends read there."""

    run_id: str = ABSENT
    """The id of the run."""
    response: str = ABSENT
    """The text of the answer."""
    conversation_id: str = ABSENT
    """The id of the conversation."""
    agent_type: str = ABSENT
    """The id of the agent that answers."""
    processing_time: float = ABSENT
    """Seconds."""
    seq: int | None = None
    """The number of the event in its run; what follows it is asked for by this number."""
    done: bool = True
    """Always true."""


class DrainFrame(Model):
    """This server is about to stop: come back after so many seconds, with the same cursors."""

    type: Literal["drain"] = "drain"
    """Which it is."""
    retry_after: float = ABSENT
    """Seconds."""


class EarlierMessage(Model):
    """A message that the caller brings along."""

    role: Literal["user", "assistant", "system"]
    """Who speaks."""
    content: str | Sequence[EarlierText]
    """What it says."""


class EarlierText(Model):
    """A part of an earlier message."""

    type: Literal["text"] = "text"
    """Which it is."""
    text: str
    """Plain text."""


class EndTurnFrame(Model):
    """Ends a turn at once, as where a button is released."""

    type: Literal["end_turn"] = "end_turn"
    """Which it is."""


class EngineModelView(Model):
    """A model that transcribes or speaks."""

    name: str = ABSENT
    """Its name."""
    available: bool = ABSENT
    """Whether it can be used now."""
    needs: str | None = ABSENT
    """What to install or to set before it can be used."""
    live: bool = ABSENT
    """Whether `/ws/voice` uses it as it comes."""
    label: str = ABSENT
    """What to expect of it."""
    languages: list[str] = ABSENT
    """Empty where it decides itself."""
    voices: list[str] = ABSENT
    """Those that it speaks in; it may know others."""
    formats: list[str] = ABSENT
    """Those that it speaks in; empty where it is not known."""


class EngineView(Model):
    """A provider of speech, with its models: the preferred first."""

    name: str = ABSENT
    """The provider."""
    kind: Literal["remote", "embedded"] | str = ABSENT
    """Whether it is called over the network, or runs on this machine."""
    available: bool = ABSENT
    """Whether any of it can be used now."""
    needs: str | None = ABSENT
    """What to set or install before it can be used."""
    models: list[EngineModelView] = ABSENT
    """The preferred first."""


class ErrorBody(Model):
    """Every error on `/api`."""

    detail: str = ABSENT
    """A sentence that says what to do."""
    error: str = ABSENT
    """The same."""
    code: str = ABSENT
    """Stable, for programs."""
    details: dict[str, Any] = ABSENT
    """Further details."""
    request_id: str | None = ABSENT
    """Also in X-Request-ID; name it when you ask for help."""


class ErrorData(Model):
    """Why the run ended early."""

    error: str = ABSENT
    """A sentence."""
    code: str = ABSENT
    """Stable, for programs."""
    recoverable: bool = ABSENT
    """Trying again, or continuing, may help."""
    details: dict[str, Any] = ABSENT
    """Further details."""
    retry_after: float | None = None
    """Seconds."""


class ErrorFrame(Event):
    """The run failed, was cancelled or was interrupted: `code` says which. Terminal."""

    event: Literal["error"] = "error"
    """Which event it is."""
    data: ErrorData = ABSENT
    """What belongs to the event."""


class ErrorReply(Model):
    """A frame could not be used, or a run could not be followed; it names which, if it can."""

    error: str = ABSENT
    """A sentence that says what to do."""
    code: str = ABSENT
    """Stable, for programs."""
    details: dict[str, Any] | None = None
    """Further details."""
    errors: dict[str, list[str]] | None = None
    """What is wrong, by field."""
    retry_after: float | None = None
    """Seconds."""
    client_msg_id: str | None = None
    """The id that the client gave its message."""
    run_id: str | None = None
    """The id of the run."""


class EventPlace(Model):
    """What stands in the frame of an event beside `event` and `data`.

    `seq` is the cursor after the event; an event without one is not in the log.
    """

    run_id: str = ABSENT
    """The id of the run."""
    seq: int | None = None
    """The number of the event in its run; what follows it is asked for by this number."""


class ExchangedCredential(Model):
    """A stored credential, and the key of this server that was made for it."""

    credential: CredentialView = ABSENT
    """What is stored of the provider's key."""
    api_key: IssuedKeyView = ABSENT
    """Send its `key` as X-API-Key."""


class FeedbackRequest(Model):
    """How good an answer was."""

    score: float
    """The higher, the better, on a scale of your own: 1 and -1, or 1 to 5."""
    comment: str | None = None
    """Why."""


class FeedbackView(Model):
    """The latest feedback on an answer."""

    message_id: str = ABSENT
    """The id of the message."""
    score: float = ABSENT
    """How good it was."""
    given_at: datetime = ABSENT
    """When."""
    comment: str | None = None
    """Why."""


class FilePage(Model):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[FileView] = ABSENT
    """What was asked for, in its order."""
    next_cursor: str | None = ABSENT
    """Requests the next page; null on the last."""


class FileUploadResponse(Model):
    """A file that was uploaded."""

    file_id: str = ABSENT
    """The id of the file."""
    filename: str = ABSENT
    """As it is kept: without folders and hidden characters."""
    size: int = ABSENT
    """In bytes."""
    mime_type: str = ABSENT
    """By its content, whatever its sender said."""
    checksum: str = ABSENT
    """SHA-256, in hexadecimal digits."""
    url: str = ABSENT
    """Where its bytes are, with the same credentials."""
    conversation_id: str | None = ABSENT
    """The id of the conversation."""
    metadata: dict[str, Any] = ABSENT
    """`status`: what became of it so far."""


class FileView(Model):
    """A file; files of the same bytes share what was read of them."""

    id: str = ABSENT
    """Its id."""
    filename: str = ABSENT
    """As its sender named it."""
    size: int = ABSENT
    """In bytes."""
    mime_type: str = ABSENT
    """By its content, whatever its sender said."""
    checksum: str = ABSENT
    """SHA-256, in hexadecimal digits."""
    url: str = ABSENT
    """Where its bytes are, with the same credentials."""
    image_url: str | None = ABSENT
    """Of an image that has been read: where it is, made anew, for showing it."""
    conversation_id: str | None = ABSENT
    """The id of the conversation."""
    status: FileStatus = ABSENT
    """`stored` until it is read, then `reading`, and `ready` or `unreadable` after."""
    reason: str | None = ABSENT
    """Why it is unreadable."""
    progress: float = ABSENT
    """How much of it has been read, 0 to 1."""
    pages: int = ABSENT
    """Pages, sheets or slides that have been read."""
    characters: int = ABSENT
    """The length of its text."""
    indexed: float | None = ABSENT
    """How much of its text is found by its meaning, 0 to 1; null where no model for that is
    configured, or there is no text.
    """
    created_at: datetime = ABSENT
    """When it was made."""


class FilmPage(Model):
    """Frames of a film, in their order; `next_after` asks for those that follow."""

    items: list[FrameView] = ABSENT
    """In their order."""
    next_after: int | None = ABSENT
    """`after` of what follows; null at the end."""


class ForkRequest(Model):
    """The last message to copy; the end of the conversation without it."""

    message_id: str | None = None
    """Where the copied branch ends; without it the current branch is copied."""


class FrameView(Model):
    """One action of a film, or a change of who controls the desktop."""

    index: int = ABSENT
    """From 1."""
    at: datetime = ABSENT
    """When."""
    actor: Literal["agent", "person"] | str = ABSENT
    """Who did it."""
    run_id: str | None = ABSENT
    """The run that did it."""
    call_id: str | None = ABSENT
    """Its call."""
    action: dict[str, Any] = ABSENT
    """Without the text of secrets."""
    marker: ActionMarker | None = ABSENT
    """Where on the screen it was done."""
    before_url: str | None = ABSENT
    """The screen before it."""
    after_url: str | None = ABSENT
    """The screen after it."""
    duration_ms: float = ABSENT
    """Milliseconds."""
    approved_by: str | None = ABSENT
    """The key with which a person approved of it."""
    error: str | None = ABSENT
    """Why it was not done, or not to its end."""


class FunctionCallData(Model):
    """The call of a tool."""

    call_id: str = ABSENT
    """The id of the call."""
    function_name: str = ABSENT
    """The name of the tool."""
    arguments: dict[str, Any] = ABSENT
    """What the tool is called with."""
    task_id: str | None = None
    """The task for which it was done."""


class FunctionCallFrame(Event):
    """The model called a tool."""

    event: Literal["function_call"] = "function_call"
    """Which event it is."""
    data: FunctionCallData = ABSENT
    """What belongs to the event."""


class GitHubResult(Model):
    """One repository, file, issue or pull request."""

    title: str = ABSENT
    """Its title."""
    url: str = ABSENT
    """Where it is."""
    content: str = ABSENT
    """Plain text of it; of code, what matched."""
    metadata: dict[str, Any] = ABSENT
    """Depends on the type."""


class GitHubSearchResponse(Model):
    """One page of results, the best first."""

    query: str = ABSENT
    """What was searched for."""
    type: GitHubKind = ABSENT
    """Which it is."""
    results: list[GitHubResult] = ABSENT
    """The best first."""
    total: int = ABSENT
    """How many there are on all pages; 1,000 of them can be read."""
    incomplete: bool = ABSENT
    """GitHub ran out of time before it had seen all."""
    page: int = ABSENT
    """From 1."""
    response_time: float = ABSENT
    """In seconds."""


class Health(Model):
    """The process is alive."""

    status: Literal["ok"] = "ok"
    """How far it is."""
    timestamp: datetime = ABSENT
    """The server's clock."""
    version: str = ABSENT
    """Its version."""


class HeardWord(Model):
    """A word and when it was said, in seconds since `start`; `confidence` is 0 to 1."""

    word: str = ABSENT
    """The word."""
    start: float = ABSENT
    """When it began."""
    end: float = ABSENT
    """When it ended."""
    confidence: float | None = None
    """How sure the transcriber is, from 0 to 1."""


class InvalidBody(Model):
    """An error that names fields."""

    detail: str = ABSENT
    """A sentence that says what to do."""
    error: str = ABSENT
    """The same."""
    code: str = ABSENT
    """Stable, for programs."""
    details: dict[str, Any] = ABSENT
    """Further details."""
    request_id: str | None = ABSENT
    """Also in X-Request-ID; name it when you ask for help."""
    errors: dict[str, list[str]] = ABSENT
    """What is wrong, by field."""


class IssuedKeyView(Model):
    """A new key, whole this once."""

    id: str = ABSENT
    """Its id."""
    owner_id: str = ABSENT
    """The id of the user."""
    name: str = ABSENT
    """Its name."""
    scopes: ScopesView = ABSENT
    """What the key may do."""
    active: bool = ABSENT
    """False once it is revoked, expired or retired."""
    created_at: datetime = ABSENT
    """When it was made."""
    expires_at: datetime | None = ABSENT
    """When it stops working; null is never."""
    revoked_at: datetime | None = ABSENT
    """When it was revoked; null if it was not."""
    replaced_by: str | None = ABSENT
    """The id of its successor."""
    retires_at: datetime | None = ABSENT
    """When it ends because it has a successor."""
    key: str = ABSENT
    """The key itself, which is shown this once."""


class KeyPage(Model):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[KeyView] = ABSENT
    """What was asked for, in its order."""
    next_cursor: str | None = ABSENT
    """Requests the next page; null on the last."""


class KeyPatch(Model):
    """The fields to change. `scopes` replace those that there were."""

    name: str | None = None
    """Its name."""
    scopes: ScopesBody | None = None
    """What the key may do."""
    expires_at: datetime | None = None
    """With a time zone; not after the key that asks."""


class KeyRotation(Model):
    """For how long the old key goes on working; as the server is configured without it."""

    overlap_seconds: float | None = None
    """For how long the old one goes on working."""


class KeyView(Model):
    """An API key without its secret."""

    id: str = ABSENT
    """Its id."""
    owner_id: str = ABSENT
    """The id of the user."""
    name: str = ABSENT
    """Its name."""
    scopes: ScopesView = ABSENT
    """What the key may do."""
    active: bool = ABSENT
    """False once it is revoked, expired or retired."""
    created_at: datetime = ABSENT
    """When it was made."""
    expires_at: datetime | None = ABSENT
    """When it stops working; null is never."""
    revoked_at: datetime | None = ABSENT
    """When it was revoked; null if it was not."""
    replaced_by: str | None = ABSENT
    """The id of its successor."""
    retires_at: datetime | None = ABSENT
    """When it ends because it has a successor."""


class ListeningFrame(Model):
    """The answer to `start`: what is said is heard from now on, as the turn of this number.

    `sample_rate` is that of the audio that is heard. The `synthesizer` is the preferred one:
    which
    speaks is told by each sentence. Without speech there is none.
    """

    type: Literal["listening"] = "listening"
    """Which it is."""
    turn: int = ABSENT
    """The number of the turn, from 1 after each `start`."""
    transcriber: str = ABSENT
    """What listens, as provider/model."""
    sample_rate: int = ABSENT
    """Samples a second."""
    synthesizer: str | None = None
    """What is asked first to speak, as provider/model."""
    speech_format: str | None = None
    """How answers are spoken."""


class LoginSessionView(Model):
    """The signed-in owner; the session itself is in the cookie."""

    owner_id: str = ABSENT
    """The id of the user."""
    expires_in: float = ABSENT
    """Seconds."""


class Me(Model):
    """Who calls, and what with."""

    owner_id: str = ABSENT
    """The id of the user."""
    name: str = ABSENT
    """Its name."""
    tenant_id: str = ABSENT
    """The id of the tenant."""
    role: UserRole = ABSENT
    """What the user may do in its tenant."""
    admin: bool = ABSENT
    """Whether this key administers the tenant."""
    operator: bool = ABSENT
    """Whether this key administers the server."""
    key_id: str = ABSENT
    """The id of a key."""
    scopes: ScopesView = ABSENT
    """What the key may do."""


class MessageEdit(Model):
    """The new text of a message."""

    content: str
    """A user's message holds at most 32000 characters."""
    stream: bool = False
    """Answer as text/event-stream."""


class MessagePage(Model):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[MessageView] = ABSENT
    """What was asked for, in its order."""
    next_cursor: str | None = ABSENT
    """Requests the next page; null on the last."""


class MessageRequest(Model):
    """A message to be answered in the conversation that the path names."""

    message: str
    """What is said."""
    client_msg_id: str | None = None
    """Makes this message one, however often it is sent."""
    provider: str | None = None
    """A configured provider; without it the assistant chooses."""
    model: str | None = None
    """The name of the model."""
    context: Sequence[EarlierMessage] | Mapping[str, Any] | None = None
    """Earlier messages from elsewhere, oldest first."""
    agent_override: str | None = None
    """The agent that answers."""
    temperature: float | None = None
    """The higher the freer."""
    max_tokens: int | None = None
    """The answer takes no more."""
    tools: Sequence[str] | None = None
    """Names of tools that the answer may use."""
    attachments: Sequence[str] | None = None
    """Ids of files that belong to the message."""
    system: str | None = None
    """Instructions for this answer."""
    stream: bool = False
    """Answer as text/event-stream."""
    metadata: Mapping[str, Any] | None = None
    """What was stored with it, or comes along."""
    limits: AnswerLimits | None = None
    """What the answer may take."""
    approval: ApprovalPolicy | None = None
    """Which calls of tools a person decides on; it can only be tightened."""
    busy: BusyPolicy | None = None
    """What to do while the conversation's last answer is being written; without it the server's
    setting counts.
    """


class MessageView(Model):
    """A message in its conversation's tree; edits and retries are siblings under one parent."""

    id: str = ABSENT
    """Its id."""
    conversation_id: str = ABSENT
    """The id of the conversation."""
    parent_id: str | None = ABSENT
    """The id of the message before it; null at the beginning."""
    role: str = ABSENT
    """Who speaks."""
    content: str = ABSENT
    """The text of the message."""
    parts: list[MessagePart] = ABSENT
    """All parts: text, reasoning, tool calls, ..."""
    status: str = ABSENT
    """`partial` where the answer ended early."""
    run_id: str | None = ABSENT
    """The id of the run."""
    model: str | None = ABSENT
    """The name of the model."""
    provider: str | None = ABSENT
    """The name of the provider."""
    token_usage: TokenUsage | None = ABSENT
    """What it took of tokens."""
    edited: bool = ABSENT
    """Whether it is another version of an earlier message."""
    timestamp: datetime = ABSENT
    """When it was made."""
    metadata: dict[str, Any] = ABSENT
    """What was stored with it, or comes along."""


class MetricsData(Model):
    """What one call of a model took."""

    tokens_used: int = ABSENT
    """Read and written."""
    response_time: float = ABSENT
    """Seconds."""
    time_to_first_token: float | None = ABSENT
    """Seconds."""
    model_calls: int = ABSENT
    """Calls of models."""
    task_id: str | None = None
    """The task for which it was done."""


class MetricsFrame(Event):
    """One model call ended."""

    event: Literal["metrics"] = "metrics"
    """Which event it is."""
    data: MetricsData = ABSENT
    """What belongs to the event."""


class ModelList(Model):
    """All models; `models` holds their ids."""

    models: list[str] = ABSENT
    """Their ids."""
    data: list[ModelView] = ABSENT
    """The models."""


class ModelView(Model):
    """One model at one provider."""

    id: str = ABSENT
    """Its id."""
    provider: str = ABSENT
    """The name of the provider."""
    capabilities: list[str] = ABSENT
    """What it can do."""
    context_length: int | None = ABSENT
    """Tokens; null where it is not known."""


class NewConversation(Model):
    """A new conversation; without a title it gets one from its first message."""

    title: str | None = None
    """Its title."""
    tags: Sequence[str] | None = None
    """Words to find it by."""
    metadata: Mapping[str, Any] | None = None
    """What was stored with it, or comes along."""
    external_id: str | None = None
    """An id of your own, unique among yours; without `/`, `?` and `#`."""


class NewCredential(Model):
    """A provider's key, for a key of this server that may use this provider only."""

    provider: str
    """The name of the provider."""
    key: str
    """The provider's key. It is stored encrypted, and never shown again."""
    shared: bool = False
    """Whether it pays for all users of your tenant; admins only."""


class NewKey(Model):
    """A key for yourself; without `scopes` it may do what the key that asks may."""

    name: str
    """Its name."""
    scopes: ScopesBody | None = None
    """What the key may do."""
    expires_at: datetime | None = None
    """With a time zone; not after the key that asks."""


class NewKeyOfUser(Model):
    """A key for a user."""

    name: str
    """Its name."""
    owner_id: str
    """Letters, digits and . _ @ -"""
    scopes: ScopesBody | None = None
    """What the key may do."""
    expires_at: datetime | None = None
    """With a time zone; not after the key that asks."""


class NewTenant(Model):
    """A tenant; its name is its id if there is no other."""

    id: str
    """Letters, digits and . _ @ -"""
    name: str | None = None
    """Its name."""


class NewUser(Model):
    """A user of a tenant; the id is the `owner_id` of what the user stores."""

    id: str
    """Letters, digits and . _ @ -"""
    tenant_id: str
    """Letters, digits and . _ @ -"""
    name: str | None = None
    """Its name."""
    role: UserRole = "member"
    """What the user may do in its tenant."""


class OwnSearchResponse(Model):
    """One page of results."""

    results: list[OwnSearchResult] = ABSENT
    """The best first."""
    total: int = ABSENT
    """How many there are."""
    has_more: bool = ABSENT
    """Whether there are results after these."""
    query: str = ABSENT
    """What was searched for."""


class OwnSearchResult(Model):
    """One search result."""

    id: str = ABSENT
    """Its id."""
    type: SearchKind = ABSENT
    """Which it is."""
    title: str = ABSENT
    """Its title."""
    snippet: str = ABSENT
    """Plain text around the text hit."""
    url: str = ABSENT
    """Where to read it."""
    timestamp: datetime = ABSENT
    """When it was made."""
    metadata: dict[str, Any] = ABSENT
    """What was stored with it, or comes along."""


class PeriodBudget(Model):
    """What may be used in each period; null is not limited, and 0 allows no call that costs."""

    money: float | str | None = None
    """US dollars."""
    tokens: int | None = None
    """Of input and output together."""


class PingFrame(Model):
    """Asks for a `pong`."""

    type: Literal["ping"] = "ping"
    """Which it is."""


class PongFrame(Model):
    """The answer to `ping`."""

    type: Literal["pong"] = "pong"
    """Which it is."""


class ProviderCheck(Model):
    """The report of a test; `ok` if every step succeeded."""

    provider: str = ABSENT
    """The name of the provider."""
    ok: bool = ABSENT
    """Whether it works."""
    steps: list[CheckStepView] = ABSENT
    """What was done, in its order."""


class ProviderList(Model):
    """All providers, preferred ones first."""

    providers: list[ProviderView] = ABSENT
    """The providers."""
    total: int = ABSENT
    """How many there are."""


class ProviderQualityView(Model):
    """How the calls of one provider ended, how long they took and what they cost."""

    provider: str = ABSENT
    """The name of the provider."""
    calls: int = ABSENT
    """Calls of models."""
    failed_calls: int = ABSENT
    """Calls that a provider did not answer."""
    cut_calls: int = ABSENT
    """Calls whose answer broke off."""
    cancelled_calls: int = ABSENT
    """Calls whose caller left; they are no errors."""
    error_rate: float = ABSENT
    """The share of the calls that failed, before their answer or within it."""
    unpriced_calls: int = ABSENT
    """Calls whose price is not known."""
    cost: str = ABSENT
    """US dollars, without the unpriced calls."""
    seconds_p50: float | None = ABSENT
    """The median duration of completed calls."""
    seconds_p95: float | None = ABSENT
    """19 of 20 completed calls took no longer."""
    first_token_seconds_p50: float | None = ABSENT
    """The median time to first output."""
    first_token_seconds_p95: float | None = ABSENT
    """In 95 of 100 calls the first token came within so many seconds."""


class ProviderView(Model):
    """One provider, without secrets."""

    name: str = ABSENT
    """Its name."""
    dialect: str | None = ABSENT
    """The wire that it speaks; null for our own model."""
    base_url: str | None = ABSENT
    """Where it is called."""
    has_credential: bool = ABSENT
    """Whether it is called with a key or a token."""
    default_model: str | None = ABSENT
    """The model that answers where a request names none."""
    models: int | None = ABSENT
    """How many models it lists; null if it does not tell."""
    health: list[DeploymentHealthView] = ABSENT
    """Its models whose last call failed."""


class QueuedData(Model):
    """What the run waits for."""

    position: int = ABSENT
    """From 1."""
    eta_seconds: float | None = None
    """Likely seconds until its turn, if it waits for a provider."""
    provider: str | None = None
    """The name of the provider."""


class QueuedFrame(Event):
    """The run waits: for earlier runs of its conversation, or for the `provider` that is named."""

    event: Literal["queued"] = "queued"
    """Which event it is."""
    data: QueuedData = ABSENT
    """What belongs to the event."""


class Readiness(Model):
    """Whether the server can serve requests; the rest is for authenticated callers."""

    ready: bool = ABSENT
    """Whether the server can serve requests."""
    services: dict[str, bool] | None = None
    """Which part works."""
    sandbox: str | None = None
    """How programs of agents are shut in: `full`, `partial, without ...` or `none: ...`; absent
    where `run_code` is off.
    """
    desktop: DesktopReadiness | None = None
    """Absent where there are no desktops."""
    mcp: dict[str, bool] | None = None
    """Which servers of tools answer; absent where none is configured. One that does not leaves
    this server ready.
    """


class ReasoningData(Model):
    """A piece of reasoning."""

    delta: str = ABSENT
    """The new text."""


class ReasoningFrame(Event):
    """More reasoning of the model."""

    event: Literal["reasoning"] = "reasoning"
    """Which event it is."""
    data: ReasoningData = ABSENT
    """What belongs to the event."""


class ReasoningPart(Model):
    """A model's reasoning.

    `signature` and `encrypted` must be sent back unchanged, and only to their `origin`, the
    dialect
    that they came in: the one proves who wrote the text, the other is reasoning that nobody else
    can read. `id` is the origin's own id of it.
    """

    type: Literal["reasoning"] = "reasoning"
    """Which it is."""
    text: str = ABSENT
    """Plain text."""
    signature: str | None = None
    """Never shown."""
    encrypted: str | None = None
    """Never shown."""
    origin: str | None = None
    """Never shown."""
    id: str | None = None
    """Never shown."""


class RefusalPart(Model):
    """The model's words for refusing to answer, where its dialect tells them from text."""

    type: Literal["refusal"] = "refusal"
    """Which it is."""
    text: str = ABSENT
    """Plain text."""


class ResumeFrame(Model):
    """Asks for the events of a run after one that was received, and for those to come."""

    type: Literal["resume"] = "resume"
    """Which it is."""
    run_id: str
    """The id of the run."""
    after: int = 0
    """The last event that was received."""


class RetryRequest(Model):
    """How to send the new answer."""

    stream: bool = False
    """Answer as text/event-stream."""


class RunList(Model):
    """Runs of one conversation."""

    items: list[RunView] = ABSENT
    """What was asked for, in its order."""
    total: int = ABSENT
    """How many there are."""


class RunView(Model):
    """A run: the generation of one answer."""

    id: str = ABSENT
    """Its id."""
    conversation_id: str = ABSENT
    """The id of the conversation."""
    message_id: str = ABSENT
    """The message that holds the answer."""
    user_message_id: str = ABSENT
    """The message that is answered."""
    surface: str = ABSENT
    """The API that it was asked for by."""
    status: str = ABSENT
    """How far it is."""
    agent_type: str = ABSENT
    """The id of the agent that answers."""
    provider: str = ABSENT
    """The name of the provider."""
    model: str = ABSENT
    """The name of the model."""
    attempt: int = ABSENT
    """From 1; more where a server was lost."""
    cancel_requested: bool = ABSENT
    """Whether somebody has cancelled it."""
    last_event_id: str | None = ABSENT
    """Of its last event, once it has ended."""
    token_usage: TokenUsage | None = ABSENT
    """What it took of tokens."""
    error_code: str | None = ABSENT
    """Why it ended early."""
    metadata: dict[str, Any] = ABSENT
    """What the request for this answer brought."""
    created_at: datetime = ABSENT
    """When it was made."""
    started_at: datetime | None = ABSENT
    """When its first step began."""
    ended_at: datetime | None = ABSENT
    """When it ended."""
    approvals: list[ApprovalView] = ABSENT
    """What it waits for a person to decide on."""
    trace_url: str | None = ABSENT
    """Where its trace is shown, if one is made; told to operators."""


class ScopesBody(Model):
    """What a key may do. What is left out is not limited; an empty list allows nothing."""

    providers: Sequence[str] | None = None
    """Names of providers."""
    models: Sequence[str] | None = None
    """Patterns with `*`, of `provider/model`, or of a model at any provider."""
    operations: Sequence[KeyOperation] | None = None
    """What the key is used for."""
    tools: Sequence[str] | None = None
    """Patterns of the types of tools that a provider runs."""
    requests_per_minute: int | None = None
    """Counted by each worker."""
    tokens_per_minute: int | None = None
    """Of input and output, when an answer has ended; counted by each worker."""


class ScopesView(Model):
    """What a key may do; null is not limited."""

    providers: list[str] | None = ABSENT
    """Names of providers."""
    models: list[str] | None = ABSENT
    """Patterns with `*`, of `provider/model`, or of a model at any provider."""
    operations: list[str] | None = ABSENT
    """What the key is used for."""
    tools: list[str] | None = ABSENT
    """Names of tools."""
    requests_per_minute: int | None = ABSENT
    """Counted by each worker."""
    tokens_per_minute: int | None = ABSENT
    """Counted by each worker, when an answer has ended."""


class ScreenPoint(Model):
    """A place on the screen, in pixels from its upper left corner."""

    x: int = ABSENT
    """Pixels from the left."""
    y: int = ABSENT
    """Pixels from the top."""


class SearchRequest(Model):
    """What to search for, and where."""

    query: str
    """What to search for."""
    provider: str = "tavily"
    """`tavily`, `brave`, `searxng`; `local` searches what is your own."""
    max_results: int = 5
    """At most so many."""
    topic: Topic = "general"
    """Engines without it search all pages."""
    time_range: TimeRange | None = None
    """How old results may be."""
    include_answer: bool = False
    """Also a short answer, from providers that give one."""


class SearchResponse(Model):
    """The results, the best first."""

    query: str = ABSENT
    """What was searched for."""
    provider: str = ABSENT
    """Which searched."""
    answer: str | None = ABSENT
    """A short answer, where one was asked for and the provider gives one."""
    results: list[SearchResult] = ABSENT
    """The best first."""
    total: int = ABSENT
    """How many results these are."""
    response_time: float = ABSENT
    """In seconds."""


class SearchResult(Model):
    """One page that was found."""

    title: str = ABSENT
    """Its title."""
    url: str = ABSENT
    """Where it is."""
    content: str = ABSENT
    """Plain text of it."""
    score: float = ABSENT
    """From 0 to 1, the higher the better."""
    published_date: datetime | None = ABSENT
    """When the page says that it was published."""


class SiblingsView(Model):
    """Messages under one parent: versions of a question, or of its answer."""

    parent_id: str | None = ABSENT
    """Null for versions of the first message."""
    message_ids: list[str] = ABSENT
    """The oldest first."""


class SignIn(Model):
    """A code from the server's sign-in link; without one the API key in the header is used."""

    code: str | None = None
    """From a sign-in link; without it the key in the header counts."""


class SnapshotData(Model):
    """The messages of the run so far."""

    messages: list[SnapshotMessage] = ABSENT
    """All of them, the oldest first."""
    recovered: bool = ABSENT
    """False: the cursor lay beyond what survived."""


class SnapshotFrame(Event):
    """The messages so far; replaces everything that was received before."""

    event: Literal["snapshot"] = "snapshot"
    """Which event it is."""
    data: SnapshotData = ABSENT
    """What belongs to the event."""


class SnapshotMessage(Model):
    """A message of a snapshot."""

    role: str = ABSENT
    """Who speaks."""
    content: str = ABSENT
    """What it says."""
    parts: list[MessagePart] = ABSENT
    """All parts: text, reasoning, tool calls and so on."""


class Source(Model):
    """The source of a statement in the answer; `index` is the n of its `[n]` mark."""

    title: str = ABSENT
    """Its title."""
    url: str | None = ABSENT
    """Where it is."""
    snippet: str | None = ABSENT
    """Words of the source."""
    index: int = ABSENT
    """The n of its `[n]` mark, from 1."""


class SourceFrame(Event):
    """A source of the answer."""

    event: Literal["source"] = "source"
    """Which event it is."""
    data: Source = ABSENT
    """What belongs to the event."""


class SpeakRequest(Model):
    """A text to be spoken."""

    text: str
    """Plain text."""
    voice: str | None = None
    """In which voice it speaks."""
    format: Literal["mp3", "wav", "opus", "pcm", "flac", "aac"] | None = None
    """Without it mp3 where that can be made, else wav."""
    speed: float = 1.0
    """1 is its usual one."""
    synthesizer: str | None = None
    """`provider` or `provider/model`; see `GET /api/voice`."""


class SpeechDoneFrame(Model):
    """The whole answer is spoken."""

    type: Literal["speech_done"] = "speech_done"
    """Which it is."""
    run_id: str = ABSENT
    """The id of the run."""


class SpeechEndFrame(Model):
    """All audio of a sentence is sent, which lasts so many `seconds` where that is known."""

    type: Literal["speech_end"] = "speech_end"
    """Which it is."""
    run_id: str = ABSENT
    """The id of the run."""
    sentence: int = ABSENT
    """The number of the sentence, from 0."""
    seconds: float | None = None
    """How long its audio lasts."""


class SpeechError(Model):
    """Why an answer could not be spoken."""

    code: str = ABSENT
    """Stable, for programs."""
    error: str = ABSENT
    """A sentence."""


class SpeechStartFrame(Model):
    """The binary frames after it speak this sentence of the answer, which are numbered from 0."""

    type: Literal["speech_start"] = "speech_start"
    """Which it is."""
    run_id: str = ABSENT
    """The id of the run."""
    sentence: int = ABSENT
    """The number of the sentence, from 0."""
    text: str = ABSENT
    """What is spoken."""
    format: str = ABSENT
    """How its audio is encoded."""
    sample_rate: int | None = None
    """Samples a second, where the audio does not tell."""
    synthesizer: str | None = None
    """What speaks it, as provider/model."""


class SpeechStartedFrame(Model):
    """Somebody begins to speak, `at` so many seconds after `start`."""

    type: Literal["speech_started"] = "speech_started"
    """Which it is."""
    at: float = ABSENT
    """When it was."""


class SpeechStoppedFrame(Model):
    """An answer is spoken no more from this sentence on, and audio that waits is to be dropped.

    `reason` says whether somebody spoke, the client asked for it, it failed, the run did, or a
    budget is used up.
    """

    type: Literal["speech_stopped"] = "speech_stopped"
    """Which it is."""
    run_id: str = ABSENT
    """The id of the run."""
    reason: Literal["asked", "barge_in", "budget_exhausted", "cancelled", "failed"] | str = ABSENT
    """Why."""
    sentence: int = ABSENT
    """The number of the sentence, from 0."""


class SpenderView(Model):
    """What the calls of one user used."""

    owner_id: str = ABSENT
    """The id of the user."""
    calls: int = ABSENT
    """Calls of models."""
    unpriced_calls: int = ABSENT
    """Calls whose price is not known."""
    input_tokens: int = ABSENT
    """Tokens that models read, cached ones included."""
    output_tokens: int = ABSENT
    """Tokens that models wrote, reasoning included."""
    cost: str = ABSENT
    """US dollars, without the unpriced calls."""


class Spoken(Model):
    """How a text was said, in a recording of `duration` seconds.

    `provider` and `model` wrote it down. `recording_id` is the file of the recording, if it was
    kept; models are never sent it. `sha256` is that of a recording that was sent whole, in
    hexadecimal digits. The rest is as in a `Transcript`.
    """

    duration: float = ABSENT
    """Of the recording, in seconds."""
    provider: str = ABSENT
    """Which transcribed."""
    model: str = ABSENT
    """By which of its models."""
    language: str | None = None
    """What was spoken, as a BCP 47 tag."""
    confidence: float | None = None
    """How sure it is, from 0 to 1."""
    words: list[SpokenWord] | None = None
    """Each with its times."""
    recording_id: str | None = None
    """The file of the recording, if it was kept."""
    sha256: str | None = None
    """Of a recording that was sent whole, in hexadecimal digits: it tells whether it was this
    one.
    """


class SpokenChatResponse(Model):
    """A complete answer to what was said."""

    response: str = ABSENT
    """The text of the answer."""
    conversation_id: str = ABSENT
    """The id of the conversation."""
    message_id: str = ABSENT
    """The id of the message."""
    run_id: str = ABSENT
    """The id of the run."""
    agent_type: str = ABSENT
    """The id of the agent that answers."""
    model: str = ABSENT
    """The name of the model."""
    model_used: str = ABSENT
    """The same as `model`."""
    provider: str = ABSENT
    """The name of the provider."""
    message: MessageView = ABSENT
    """What is said."""
    token_usage: TokenUsage = ABSENT
    """What it took of tokens."""
    processing_time: float = ABSENT
    """Seconds."""
    sources: list[Source] = ABSENT
    """What the answer cites."""
    finish_reason: str = ABSENT
    """Why the answer ends: `stop`, `length`, `tool_call`, `content_filter` or `error`."""
    metadata: ChatMetadata = ABSENT
    """What was stored with it, or comes along."""
    transcription: str = ABSENT
    """What was said."""
    audio_url: str | None = None
    """Where the spoken answer is."""
    speech_error: SpeechError | None = None
    """Why the answer could not be spoken, if so."""


class SpokenWord(Model):
    """One word and when it was said, in seconds from the beginning; `confidence` is 0 to 1."""

    text: str = ABSENT
    """The word."""
    start: float = ABSENT
    """When it began."""
    end: float = ABSENT
    """When it ended."""
    confidence: float | None = None
    """How sure it is, from 0 to 1."""


class StartFrame(Model):
    """Begins to listen, to audio in the binary frames after it; a second one begins anew."""

    type: Literal["start"] = "start"
    """Which it is."""
    sample_rate: int
    """Samples a second."""
    encoding: Literal["linear16"] = "linear16"
    """Signed 16-bit little-endian samples."""
    channels: int = 1
    """Interleaved."""
    conversation_id: str | None = None
    """The conversation to continue; without it one is made."""
    provider: str | None = None
    """Who answers; without it the assistant chooses."""
    model: str | None = None
    """Which model answers."""
    agent_override: str | None = None
    """The agent that answers."""
    system: str | None = None
    """Instructions for this answer."""
    language: str | None = None
    """What is spoken, as a BCP 47 tag; without it it is found out."""
    transcriber: str | None = None
    """What writes down what is said: a provider, or provider/model."""
    respond: bool = True
    """Answer each turn."""
    speak: bool = True
    """Speak the answers."""
    synthesizer: str | None = None
    """What speaks: a provider, or provider/model."""
    voice: str | None = None
    """In which voice."""
    speech_format: Literal["pcm", "wav", "mp3", "opus"] = "pcm"
    """How the speech is encoded."""
    turns_end: Literal["with_pause", "when_asked"] = "with_pause"
    """Whether a pause ends a turn, or only `end_turn`, as with a button."""
    interim: bool = True
    """Send transcripts that may still change."""
    on_barge_in: Literal["stop_speaking", "cancel", "ignore"] = "stop_speaking"
    """What happens when somebody speaks while an answer is spoken: it is spoken no more, or
    cancelled too, or spoken on.
    """
    approval: ApprovalPolicy | None = None
    """Which calls of tools a person decides on; it can only be tightened."""
    busy: BusyPolicy | None = None
    """What to do with a turn while the last answer is being written; without it the server's
    setting counts.
    """


class StatusCountView(Model):
    """How many of the runs have this status now."""

    status: RunStatus = ABSENT
    """How far it is."""
    runs: int = ABSENT
    """How many have it."""


class StopFrame(Model):
    """Ends the listening: no more audio comes. What was said before is still answered."""

    type: Literal["stop"] = "stop"
    """Which it is."""


class StopSpeakingFrame(Model):
    """Has answers be spoken no more that are spoken, or wait to be."""

    type: Literal["stop_speaking"] = "stop_speaking"
    """Which it is."""


class StoppedFrame(Model):
    """Nothing more is heard: the answer to `stop`, or behind an error that ends the listening.

    `reason` is the code of that error, as `budget_exhausted` or `silence`.
    """

    type: Literal["stopped"] = "stopped"
    """Which it is."""
    reason: str | None = None
    """The code of the error that ended the listening; none after `stop`."""


class StreamStartData(Model):
    """What a run is, as it starts."""

    conversation_id: str = ABSENT
    """The id of the conversation."""
    run_id: str = ABSENT
    """The id of the run."""
    message_id: str = ABSENT
    """The message that will hold the answer."""
    agent_type: str = ABSENT
    """The id of the agent that answers."""
    model: str = ABSENT
    """The name of the model."""
    resumed: bool = False
    """It continues an interrupted answer."""
    transcription: str | None = None
    """What was heard, where the message was said."""


class StreamStartFrame(Event):
    """A run starts. Always the first logged event."""

    event: Literal["stream_start"] = "stream_start"
    """Which event it is."""
    data: StreamStartData = ABSENT
    """What belongs to the event."""


class StreamTicket(Model):
    """Starts one stream: `GET /api/chat/stream?ticket=...`."""

    ticket: str = ABSENT
    """Goes into the query of one address."""
    expires_in: float = ABSENT
    """Seconds."""


class SurfaceView(Model):
    """How the calls that came in by one surface ended."""

    surface: str = ABSENT
    """The API that it was asked for by."""
    calls: int = ABSENT
    """Calls of models."""
    failed_calls: int = ABSENT
    """Calls that a provider did not answer."""
    cut_calls: int = ABSENT
    """Calls whose answer broke off."""
    cancelled_calls: int = ABSENT
    """Calls whose caller left; they are no errors."""
    error_rate: float = ABSENT
    """The share of the calls that failed, before their answer or within it."""


class TaskCompleteData(Model):
    """What became of a task."""

    task_id: str = ABSENT
    """The id of the task."""
    agent_type: str = ABSENT
    """The id of the agent that answers."""
    result: str = ABSENT
    """What came of it."""
    success: bool = ABSENT
    """False where it failed."""
    execution_time: float = ABSENT
    """Seconds."""


class TaskCompleteFrame(Event):
    """A task ended."""

    event: Literal["agent_task_complete"] = "agent_task_complete"
    """Which event it is."""
    data: TaskCompleteData = ABSENT
    """What belongs to the event."""


class TaskProgressData(Model):
    """How far a task is."""

    task_id: str = ABSENT
    """The task, or the call of a tool."""
    progress: float | None = ABSENT
    """From 0 to 1, where it is known."""
    status: str = ABSENT
    """How far it is."""
    current_step: str = ABSENT
    """What is being done now."""


class TaskProgressFrame(Event):
    """How far a task, or a tool, is."""

    event: Literal["agent_task_progress"] = "agent_task_progress"
    """Which event it is."""
    data: TaskProgressData = ABSENT
    """What belongs to the event."""


class TaskStartData(Model):
    """A task that an agent was given."""

    task_id: str = ABSENT
    """The id of the task."""
    agent_type: str = ABSENT
    """The agent that does the task."""
    description: str = ABSENT
    """What is to be done."""
    call_id: str = ABSENT
    """The call of `delegate` that gave it."""


class TaskStartFrame(Event):
    """An agent began a task that another agent gave it."""

    event: Literal["agent_task_start"] = "agent_task_start"
    """Which event it is."""
    data: TaskStartData = ABSENT
    """What belongs to the event."""


class TenantPage(Model):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[TenantView] = ABSENT
    """What was asked for, in its order."""
    next_cursor: str | None = ABSENT
    """Requests the next page; null on the last."""


class TenantPatch(Model):
    """The fields to change. While a tenant is disabled no key of its users works."""

    name: str | None = None
    """Its name."""
    disabled: bool | None = None
    """Whether its keys stop working."""


class TenantView(Model):
    """A tenant."""

    id: str = ABSENT
    """Its id."""
    name: str = ABSENT
    """Its name."""
    created_at: datetime = ABSENT
    """When it was made."""
    disabled_at: datetime | None = ABSENT
    """Since when its keys do not work; null while they do."""


class TextPart(Model):
    """Plain text; `spoken` if somebody said it."""

    type: Literal["text"] = "text"
    """Which it is."""
    text: str = ABSENT
    """Plain text."""
    cache: CacheBreakpoint | None = None
    """Where a provider was asked to cache up to."""
    spoken: Spoken | None = None
    """How it was said, if somebody said it."""


class TokenData(Model):
    """A piece of text."""

    content: str = ABSENT
    """The same as `delta`."""
    delta: str = ABSENT
    """The new text."""
    position: int = ABSENT
    """Unicode code points before it."""


class TokenFrame(Event):
    """More text of the answer."""

    event: Literal["token"] = "token"
    """Which event it is."""
    data: TokenData = ABSENT
    """What belongs to the event."""


class TokenUsage(Model):
    """Tokens of the prompt and of the answer; `estimated` if the provider did not report them.

    The true numbers are then within `error_bound` of these, as a fraction of them.
    """

    prompt_tokens: int = ABSENT
    """Tokens of the prompt."""
    completion_tokens: int = ABSENT
    """Tokens of the answer."""
    total_tokens: int = ABSENT
    """Both together."""
    estimated: bool = ABSENT
    """Whether we counted, not the provider."""
    error_bound: float = ABSENT
    """How far estimates may be off, as a fraction."""


class ToolCallPart(Model):
    """A model's request to call a tool.

    `malformed` is told of one whose arguments were no JSON object, or have the `problem` that
    the
    model is told: these hold their text. `vendor` is the call as its `origin`, a dialect, wrote
    it,
    to be sent back unchanged to that one.
    """

    type: Literal["tool_call"] = "tool_call"
    """Which it is."""
    call_id: str = ABSENT
    """The id of the call."""
    name: str = ABSENT
    """Its name."""
    arguments: dict[str, Any] = ABSENT
    """What the tool is called with."""
    cache: CacheBreakpoint | None = None
    """Where a provider was asked to cache up to."""
    malformed: bool = False
    """Whether the arguments could not be read; they hold their text then."""
    problem: str | None = None
    """Why its arguments could not be read, where the model is told."""
    origin: str | None = None
    """Never shown."""
    vendor: dict[str, Any] | None = None
    """Never shown."""


class ToolResultData(Model):
    """What a tool returned."""

    call_id: str = ABSENT
    """The id of the call."""
    tool_name: str = ABSENT
    """The name of the tool."""
    result: Any = ABSENT
    """What came of it."""
    success: bool = ABSENT
    """False where it failed."""
    task_id: str | None = None
    """The task for which it was done."""


class ToolResultFrame(Event):
    """The tool returned a result."""

    event: Literal["tool_result"] = "tool_result"
    """Which event it is."""
    data: ToolResultData = ABSENT
    """What belongs to the event."""


class ToolResultPart(Model):
    """The result of a tool call: text, files, or both.

    `approved` is true if a person allowed the call, and saw what its vendor wanted a person to
    see.
    """

    type: Literal["tool_result"] = "tool_result"
    """Which it is."""
    call_id: str = ABSENT
    """The id of the call."""
    content: list[TextPart | AttachmentPart | VendorPart] = ABSENT
    """What the tool returned: text, files, or both."""
    name: str | None = None
    """The name of the tool."""
    success: bool = True
    """False where it failed."""
    cache: CacheBreakpoint | None = None
    """Where a provider was asked to cache up to."""
    approved: bool = False
    """Whether a person allowed the call."""


class TranscriptFrame(Model):
    """What was heard from `start` on, for `duration` seconds; one that is not `final` may
    change.

    The final ones of a turn follow each other, and an interim one follows those before it.
    """

    type: Literal["transcript"] = "transcript"
    """Which it is."""
    turn: int = ABSENT
    """The number of the turn, from 1 after each `start`."""
    text: str = ABSENT
    """What was heard."""
    start: float = ABSENT
    """When it began."""
    duration: float = ABSENT
    """How long it lasts, in seconds."""
    final: bool = ABSENT
    """Whether it does not change any more."""
    words: list[HeardWord] | None = None
    """Its words, each with its times."""
    confidence: float | None = None
    """How sure the transcriber is, from 0 to 1."""
    language: str | None = None
    """What is spoken, as a BCP 47 tag."""


class TranscriptionResponse(Model):
    """What was said; without speech the text is empty."""

    transcription: str = ABSENT
    """What was said."""
    text: str = ABSENT
    """The same."""
    confidence: float | None = ABSENT
    """0 to 1; null where the transcriber tells none."""
    duration: float = ABSENT
    """Of the recording, in seconds."""
    language: str | None = ABSENT
    """What was spoken, as a BCP 47 tag."""
    words: list[VoiceWord] = ABSENT
    """None where the transcriber tells none."""
    segments: list[VoiceSegment] = ABSENT
    """As subtitles would show them."""
    provider: str = ABSENT
    """Which transcribed."""
    model: str = ABSENT
    """By which of its models."""


class TurnFrame(Model):
    """Somebody has spoken to the end: what was said, and the run that answers it, if one does.

    After `end_turn` its text may be empty, since nothing was said; that is not answered.
    """

    type: Literal["turn"] = "turn"
    """Which it is."""
    turn: int = ABSENT
    """The number of the turn, from 1 after each `start`."""
    text: str = ABSENT
    """What was said."""
    duration: float = ABSENT
    """How long it lasts, in seconds."""
    words: list[HeardWord] | None = None
    """Its words, each with its times."""
    language: str | None = None
    """What is spoken, as a BCP 47 tag."""
    run_id: str | None = None
    """The id of the run."""
    conversation_id: str | None = None
    """The id of the conversation."""


class UploadedFiles(Model):
    """Files that were uploaded, in the order in which they came."""

    files: list[FileUploadResponse] = ABSENT
    """The files."""
    total: int = ABSENT
    """How many there are."""


class UsageGroup(Model):
    """What the model calls of one group used; token totals are inclusive."""

    name: str = ABSENT
    """What people call it; `none` for calls of no agent, key or conversation."""
    id: str | None = ABSENT
    """What it is asked for by; null for calls of none."""
    calls: int = ABSENT
    """Calls of models."""
    input_tokens: int = ABSENT
    """Tokens that models read, cached ones included."""
    output_tokens: int = ABSENT
    """Tokens that models wrote, reasoning included."""
    cache_read_tokens: int = ABSENT
    """Input tokens that providers had in their caches."""
    cache_write_tokens: int = ABSENT
    """Input tokens that providers put into their caches."""
    cache_write_1h_tokens: int = ABSENT
    """Of the tokens written to a cache, those that are kept longer and cost more."""
    reasoning_tokens: int = ABSENT
    """Output tokens that are reasoning."""
    audio_input_tokens: int = ABSENT
    """Of the input, those of sound."""
    audio_output_tokens: int = ABSENT
    """Of the output, those of sound."""
    image_input_tokens: int = ABSENT
    """Of the input, those of images, if that is told."""
    image_output_tokens: int = ABSENT
    """Of the output, those of images."""
    web_searches: int = ABSENT
    """Searches of the web by a provider's own tool."""
    file_searches: int = ABSENT
    """Searches of files by a provider's own tool."""
    code_sessions: int = ABSENT
    """Containers in which a provider ran code."""
    images: int = ABSENT
    """Generated by a provider's own tool."""
    estimated: bool = ABSENT
    """Whether we counted a part, not the provider."""
    error_bound: float = ABSENT
    """How far estimates may be off, as a fraction."""
    audio_seconds: float = ABSENT
    """How much speech was transcribed."""
    characters: int = ABSENT
    """Of the texts that were spoken."""
    cost: str = ABSENT
    """US dollars, without the unpriced calls."""
    unpriced_calls: int = ABSENT
    """Calls whose price is not known."""


class UsageIntervalView(Model):
    """What the calls of one group used in one interval, and how long they took."""

    at: datetime = ABSENT
    """When the interval begins."""
    name: str = ABSENT
    """As in a report; `others` for all groups that are not told apart."""
    id: str | None = ABSENT
    """As in a report; null for `others`."""
    provider: str = ABSENT
    """Where it is grouped by provider, the same as `id`; else empty."""
    calls: int = ABSENT
    """Calls of models."""
    failed_calls: int = ABSENT
    """Calls that a provider did not answer."""
    unpriced_calls: int = ABSENT
    """Calls whose price is not known."""
    input_tokens: int = ABSENT
    """Tokens that models read, cached ones included."""
    output_tokens: int = ABSENT
    """Tokens that models wrote, reasoning included."""
    audio_seconds: float = ABSENT
    """How much speech was transcribed."""
    characters: int = ABSENT
    """Of the texts that were spoken."""
    cost: str = ABSENT
    """US dollars, without the unpriced calls."""
    seconds_p50: float | None = ABSENT
    """The median duration of completed calls."""
    seconds_p95: float | None = ABSENT
    """19 of 20 completed calls took no longer."""
    first_token_seconds_p50: float | None = ABSENT
    """The median time to first output."""
    first_token_seconds_p95: float | None = ABSENT
    """In 95 of 100 calls the first token came within so many seconds."""


class UsageReport(Model):
    """Usage by group, the dearest first, and the totals of all groups."""

    items: list[UsageGroup] = ABSENT
    """What was asked for, in its order."""
    groups: int = ABSENT
    """How many there are, of which `items` has `limit` at most."""
    total_cost: str = ABSENT
    """US dollars, without the unpriced calls."""
    total_calls: int = ABSENT
    """Calls of models."""
    total_unpriced_calls: int = ABSENT
    """Calls whose price is not known."""
    budgets: list[BudgetView] = ABSENT
    """Those that your calls count against now."""


class UsageTimeline(Model):
    """Intervals that have calls, the oldest first, one for each group that has some.

    The twelve dearest groups of the whole time are told apart, and the others added up.
    """

    step: TimelineStep = ABSENT
    """How long one interval is."""
    group_by: UsageGrouping = ABSENT
    """What makes a group."""
    items: list[UsageIntervalView] = ABSENT
    """What was asked for, in its order."""


class UserPage(Model):
    """One page; `next_cursor` requests the next one and is null on the last."""

    items: list[UserView] = ABSENT
    """What was asked for, in its order."""
    next_cursor: str | None = ABSENT
    """Requests the next page; null on the last."""


class UserPatch(Model):
    """The fields to change. While a user is disabled none of its keys works."""

    name: str | None = None
    """Its name."""
    disabled: bool | None = None
    """Whether its keys stop working."""
    role: UserRole | None = None
    """What the user may do in its tenant."""


class UserView(Model):
    """A user."""

    id: str = ABSENT
    """Its id."""
    name: str = ABSENT
    """Its name."""
    created_at: datetime = ABSENT
    """When it was made."""
    disabled_at: datetime | None = ABSENT
    """Since when its keys do not work; null while they do."""
    tenant_id: str = ABSENT
    """The id of the tenant."""
    role: UserRole = ABSENT
    """What the user may do in its tenant."""


class VendorPart(Model):
    """A part that only its `origin`, a dialect, understands, as it came: kept and sent back."""

    type: Literal["vendor"] = "vendor"
    """Which it is."""
    origin: str = ABSENT
    """The dialect that it came in."""
    data: dict[str, Any] = ABSENT
    """The part, in its own dialect."""


class VoiceInputResponse(Model):
    """What was said, and the answer to it; silence has none."""

    transcription: str = ABSENT
    """What was said."""
    confidence: float | None = ABSENT
    """0 to 1; null where the transcriber tells none."""
    duration: float = ABSENT
    """Of the recording, in seconds."""
    language: str | None = ABSENT
    """What was spoken, as a BCP 47 tag."""
    words: list[VoiceWord] = ABSENT
    """Each with its times; none where the transcriber tells none."""
    processing_time: float = ABSENT
    """Seconds."""
    response: str | None = None
    """The answer."""
    conversation_id: str | None = None
    """Where both are."""
    message_id: str | None = None
    """The message that is the answer."""
    run_id: str | None = None
    """The run that answered."""
    audio_url: str | None = None
    """Where the spoken answer is."""
    speech_error: SpeechError | None = None
    """Why the answer could not be spoken, if so."""


class VoiceResumeFrame(Model):
    """Asks for the rest of a run, and for the rest of its speech once `start` has asked for any."""

    type: Literal["resume"] = "resume"
    """Which it is."""
    run_id: str
    """The id of the run."""
    after: int = 0
    """The last event that was received."""
    from_sentence: int = 0
    """The first sentence that was not heard whole."""


class VoiceSegment(Model):
    """A stretch of speech, as a subtitle shows it."""

    text: str = ABSENT
    """What was said."""
    start: float = ABSENT
    """When it began."""
    end: float = ABSENT
    """When it ended."""


class VoiceView(Model):
    """What can be used for speech, the preferred first."""

    transcribers: list[EngineView] = ABSENT
    """What writes down what is said."""
    synthesizers: list[EngineView] = ABSENT
    """What speaks."""


class VoiceWord(Model):
    """One word, and when it was said, in seconds from the beginning."""

    word: str = ABSENT
    """The word."""
    start: float = ABSENT
    """When it began."""
    end: float = ABSENT
    """When it ended."""
    confidence: float | None = ABSENT
    """How sure it is, 0 to 1."""


class WaitingResponse(Model):
    """An answer that waits for a person; its run goes on after the decision."""

    run_id: str = ABSENT
    """The id of the run."""
    conversation_id: str = ABSENT
    """The id of the conversation."""
    status: str = ABSENT
    """How far it is."""
    approval: ApprovalView = ABSENT
    """The first of them."""
    approvals: list[ApprovalView] = ABSENT
    """All that it waits for."""
    transcription: str | None = None
    """What was heard, where the message was said."""


ChatEvent: TypeAlias = (
    StreamStartFrame
    | QueuedFrame
    | TokenFrame
    | ReasoningFrame
    | FunctionCallFrame
    | ToolResultFrame
    | TaskStartFrame
    | TaskProgressFrame
    | TaskCompleteFrame
    | ApprovalRequiredFrame
    | SourceFrame
    | SnapshotFrame
    | MetricsFrame
    | ErrorFrame
    | DoneFrame
)
"""An event of a run: `event` says which, and `data` holds what belongs to it."""

MessagePart: TypeAlias = Annotated[
    Annotated[TextPart, Tag("text")]
    | Annotated[RefusalPart, Tag("refusal")]
    | Annotated[ReasoningPart, Tag("reasoning")]
    | Annotated[AttachmentPart, Tag("attachment")]
    | Annotated[ToolCallPart, Tag("tool_call")]
    | Annotated[ToolResultPart, Tag("tool_result")]
    | Annotated[CitationPart, Tag("citation")]
    | Annotated[UnknownVariant, Tag(UNKNOWN)],
    Discriminator(
        tagged(
            "type",
            frozenset(
                {
                    "text",
                    "refusal",
                    "reasoning",
                    "attachment",
                    "tool_call",
                    "tool_result",
                    "citation",
                }
            ),
        )
    ),
]
"""A part of a message: `type` says which."""

EditMessageAnswer: TypeAlias = ChatResponse | MessageView

ReplaceMessageAnswer: TypeAlias = ChatResponse | MessageView

EVENTS: dict[str, str] = {
    "stream_start": "StreamStartFrame",
    "queued": "QueuedFrame",
    "token": "TokenFrame",
    "reasoning": "ReasoningFrame",
    "function_call": "FunctionCallFrame",
    "tool_result": "ToolResultFrame",
    "agent_task_start": "TaskStartFrame",
    "agent_task_progress": "TaskProgressFrame",
    "agent_task_complete": "TaskCompleteFrame",
    "approval_required": "ApprovalRequiredFrame",
    "source": "SourceFrame",
    "snapshot": "SnapshotFrame",
    "metrics": "MetricsFrame",
    "error": "ErrorFrame",
    "done": "DoneFrame",
}
"""Each event's class, by its name."""
