# Generated from the contract by `cartrita contract`: do not edit.
"""What the API is sent and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Tag

from cartrita_client.shapes import ABSENT, UNKNOWN, Event, Model, UnknownVariant, tagged

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

FileStatus: TypeAlias = Literal["stored", "reading", "ready", "unreadable"] | str
"""What became of a file: it waits to be read, is being read, was read, or cannot be read."""

GitHubKind: TypeAlias = Literal["repositories", "code", "issues"] | str
"""What is searched. Code is searched only for who has a token."""

KeyOperation: TypeAlias = Literal["chat", "embeddings", "search", "conversations", "keys", "admin"]
"""What keys are used for; a route or a call is of one of them.

`chat` asks models for answers, in runs or without; `embeddings` asks them for vectors;
`search` searches the web and GitHub;
`conversations` reads and changes what is stored; `keys` makes and ends keys of the same user;
`admin` administers the tenant of a user who may.
"""

SearchKind: TypeAlias = Literal["conversation", "message", "file", "agent"] | str
"""The kinds of things that a search can find."""

SortBy: TypeAlias = Literal["relevance", "date", "title"]
"""The order of search results."""

SubjectKind: TypeAlias = Literal["key", "user", "tenant"] | str
"""What a budget is of."""

TimeRange: TypeAlias = Literal["day", "week", "month", "year"]
"""How old what is found may be."""

Topic: TypeAlias = Literal["general", "news", "finance"]
"""What kind of pages are searched; engines without a topic search them all."""

UsageGrouping: TypeAlias = Literal["model", "provider", "surface", "day"]
"""What a report of usage adds up by: days are those of UTC."""

UserRole: TypeAlias = Literal["admin", "member"] | str
"""What a user is in a tenant; admins of the tenant `local` administer the server."""


class AcceptedFrame(Model):
    """A message with a `client_msg_id` is stored; `created` is false if it was already."""

    client_msg_id: str = ABSENT
    created: bool = ABSENT
    run_id: str = ABSENT
    type: Literal["accepted"] = "accepted"


class AckFrame(Model):
    """Tells what was received. The server keeps no cursor, so that it changes nothing."""

    run_id: str
    seq: int
    type: Literal["ack"] = "ack"


class AgentDiscovery(Model):
    """All agents."""

    agents: list[AgentInfo] = ABSENT
    total: int = ABSENT


class AgentInfo(Model):
    """An agent."""

    capabilities: list[str] = ABSENT
    description: str = ABSENT
    id: str = ABSENT
    last_used_at: datetime | None = ABSENT
    """Null: not lately."""
    metadata: dict[str, Any] = ABSENT
    model: str | None = ABSENT
    """What it begins with where the request names none; null if it is offline."""
    name: str = ABSENT
    status: Literal["idle", "busy", "offline"] | str = ABSENT
    """Busy while it works for you; offline without a model that you may use."""
    type: str = ABSENT
    usage_count: int = ABSENT
    """Its answers to you, and its tasks within any, of the last 30 days."""
    version: str = ABSENT


class AgentUseView(Model):
    """What one agent did for an answer; `cost` is in US dollars, null where no price is known."""

    agent: str = ABSENT
    cost: float | None = ABSENT
    model_calls: int = ABSENT
    token_usage: TokenUsage = ABSENT


class AnswerLimits(Model):
    """What one answer may take at most; the agent's own limits count too."""

    cost: float | None = None
    """US dollars."""
    seconds: float | None = None
    steps: int | None = None
    tokens: int | None = None


class ApprovalRequiredData(Model):
    """Nothing is said of it."""

    approval_id: str = ABSENT
    arguments: dict[str, Any] = ABSENT
    arguments_hash: str = ABSENT
    """Sent back with the decision."""
    call_id: str = ABSENT
    expires_at: str = ABSENT
    """Without a decision until then it is denied."""
    tool_name: str = ABSENT
    task_id: str | None = None
    """The task for which it was done."""


class ApprovalRequiredFrame(Event):
    """The run waits for a person: see `POST /api/runs/{run_id}/approvals/{approval_id}`."""

    data: ApprovalRequiredData = ABSENT
    event: Literal["approval_required"] = "approval_required"


class ApprovalView(Model):
    """A call that waits for a decision."""

    agent_type: str = ABSENT
    approval_id: str = ABSENT
    arguments: dict[str, Any] = ABSENT
    arguments_hash: str = ABSENT
    call_id: str = ABSENT
    expires_at: datetime = ABSENT
    """Without a decision until then it is denied."""
    tool_name: str = ABSENT


class ApproveFrame(Model):
    """Decides on an approval that a run waits for; the run's events tell what comes of it."""

    approval_id: str
    arguments_hash: str
    """Of the arguments that the person has seen."""
    decision: Literal["approve", "deny"]
    run_id: str
    type: Literal["approve"] = "approve"


class AttachmentPart(Model):
    """A file: a stored one by `attachment_id`, or any other by URL (`data:` included).

    `detail` is how closely a model should look at an image; `context` says what a document is;
    `cited` asks for citations of it.
    """

    media_type: str = ABSENT
    type: Literal["attachment"] = "attachment"
    attachment_id: str | None = None
    cache: CacheBreakpoint | None = None
    cited: bool = False
    context: str | None = None
    detail: str | None = None
    name: str | None = None
    url: str | None = None


class AuditEntryPage(Model):
    """Nothing is said of it."""

    items: list[AuditEntryView] = ABSENT
    next_cursor: str | None = ABSENT


class AuditEntryView(Model):
    """A change of a key, a user or a tenant, and who made it."""

    action: str = ABSENT
    actor_key_id: str = ABSENT
    """`cli` for the command line."""
    actor_owner_id: str = ABSENT
    address: str | None = ABSENT
    at: datetime = ABSENT
    details: dict[str, Any] = ABSENT
    id: str = ABSENT
    object: str = ABSENT
    """The id of what was changed."""
    tenant_id: str = ABSENT


class AuthFrame(Model):
    """Says who calls. The first frame, unless the handshake has said it."""

    api_key: str
    type: Literal["auth"] = "auth"
    provider: str | None = None
    """Whose key it is, if it is a provider's."""


class BudgetList(Model):
    """The budgets of one key, user or tenant."""

    items: list[BudgetView] = ABSENT


class BudgetView(Model):
    """A budget and what was used of it in this period. Amounts are US dollars, or tokens."""

    amount: str = ABSENT
    left: str = ABSENT
    overrun: str = ABSENT
    """Of what was used, that which providers used beyond what they were asked for."""
    period: BudgetPeriod = ABSENT
    resets_at: datetime = ABSENT
    set_aside: str = ABSENT
    """Of what is left, for calls that run or may soon begin."""
    subject: SubjectKind = ABSENT
    subject_id: str = ABSENT
    unit: BudgetUnit = ABSENT
    used: str = ABSENT
    """By calls that have ended, a second or so after that."""


class BudgetsBody(Model):
    """All budgets of a key, a user or a tenant, by days and months of UTC."""

    day: PeriodBudget | None = None
    month: PeriodBudget | None = None


class CacheBreakpoint(Model):
    """The provider should cache everything up to the end of what holds this, for `ttl`."""

    ttl: str | None = None


class CancelFrame(Model):
    """Cancels a run; its last event tells that it has ended."""

    run_id: str
    type: Literal["cancel"] = "cancel"


class ChatFrame(Model):
    """A message to be answered; its events follow."""

    message: str
    type: Literal["chat"] = "chat"
    agent_override: str | None = None
    """The agent that answers."""
    approval: ApprovalPolicy | None = None
    """Which calls of tools a person decides on; it can only be tightened."""
    attachments: Sequence[str] | None = None
    busy: BusyPolicy | None = None
    """What to do while the conversation's last answer is being written; without it the server's
    setting counts.
    """
    client_msg_id: str | None = None
    """Makes this message one, however often it is sent."""
    client_seq: int | None = None
    """Its number among the numbered messages of this socket, from 1: it waits for those before
    it.
    """
    context: Sequence[EarlierMessage] | Mapping[str, Any] | None = None
    """Earlier messages from elsewhere, oldest first."""
    conversation_id: str | None = None
    """The conversation to continue; without it one is made."""
    limits: AnswerLimits | None = None
    """What the answer may take."""
    max_tokens: int | None = None
    metadata: Mapping[str, Any] | None = None
    model: str | None = None
    provider: str | None = None
    """A configured provider; without it the assistant chooses."""
    stream: bool = False
    """Answer as text/event-stream."""
    system: str | None = None
    temperature: float | None = None
    tools: Sequence[str] | None = None


class ChatMetadata(Model):
    """Who worked for an answer, in how many steps (a model call and its tools each) and seconds.

    `limit_reached` is what was used up when the agent had to conclude: steps, tokens, cost or
    seconds. `failovers` are deployments that failed before another one answered, and `receipts`
    what the translation of the request could not carry over exactly.
    """

    agents: list[AgentUseView] = ABSENT
    agents_used: list[str] = ABSENT
    execution_time_seconds: float = ABSENT
    failovers: list[dict[str, Any]] = ABSENT
    iterations: int = ABSENT
    limit_reached: str | None = ABSENT
    receipts: list[dict[str, Any]] = ABSENT
    trace_id: str = ABSENT


class ChatRequest(Model):
    """A message to be answered, in a conversation or in a new one."""

    message: str
    agent_override: str | None = None
    """The agent that answers."""
    approval: ApprovalPolicy | None = None
    """Which calls of tools a person decides on; it can only be tightened."""
    attachments: Sequence[str] | None = None
    busy: BusyPolicy | None = None
    """What to do while the conversation's last answer is being written; without it the server's
    setting counts.
    """
    client_msg_id: str | None = None
    """Makes this message one, however often it is sent."""
    context: Sequence[EarlierMessage] | Mapping[str, Any] | None = None
    """Earlier messages from elsewhere, oldest first."""
    conversation_id: str | None = None
    """The conversation to continue; without it one is made."""
    limits: AnswerLimits | None = None
    """What the answer may take."""
    max_tokens: int | None = None
    metadata: Mapping[str, Any] | None = None
    model: str | None = None
    provider: str | None = None
    """A configured provider; without it the assistant chooses."""
    stream: bool = False
    """Answer as text/event-stream."""
    system: str | None = None
    temperature: float | None = None
    tools: Sequence[str] | None = None


class ChatResponse(Model):
    """A complete answer."""

    agent_type: str = ABSENT
    conversation_id: str = ABSENT
    finish_reason: str = ABSENT
    message: MessageView = ABSENT
    message_id: str = ABSENT
    metadata: ChatMetadata = ABSENT
    model: str = ABSENT
    model_used: str = ABSENT
    processing_time: float = ABSENT
    """Seconds."""
    provider: str = ABSENT
    response: str = ABSENT
    run_id: str = ABSENT
    sources: list[Source] = ABSENT
    token_usage: TokenUsage = ABSENT


class CheckRequest(Model):
    """How thorough a test is."""

    full: bool = False
    """Also call a model at each endpoint, whole and streamed."""


class CheckStepView(Model):
    """One step of a test."""

    advice: str | None = ABSENT
    """What to do about a failure."""
    code: str | None = ABSENT
    detail: str = ABSENT
    name: str = ABSENT
    ok: bool = ABSENT
    seconds: float = ABSENT
    status: int | None = ABSENT
    """The HTTP status of the provider, if there was one."""


class CitationPart(Model):
    """The source of the text before it; `index` is the n of its `[n]` mark, from 1.

    `start` and `end` are the code points of that text which it supports. `vendor` is the
    citation
    as its `origin`, a dialect, wrote it, for the details that only that one knows.
    """

    title: str = ABSENT
    type: Literal["citation"] = "citation"
    end: int | None = None
    index: int = 1
    origin: str | None = None
    snippet: str | None = None
    start: int | None = None
    url: str | None = None
    vendor: dict[str, Any] | None = None


class CodeRequest(Model):
    """A task that code solves."""

    task: str
    language: str | None = None
    model: str | None = None
    """Without it the route `code` answers."""


class CodeResponse(Model):
    """The first code block of the answer, and what was said around it."""

    code: str = ABSENT
    """The whole answer if it holds no code block."""
    explanation: str = ABSENT
    language: str = ABSENT
    """As requested, else as the block says, else `python`."""
    model: str = ABSENT


class ComputerStep(Model):
    """One action on a desktop."""

    index: int = ABSENT
    """From 1."""
    action: str = ABSENT
    """What was done."""
    arguments: dict[str, Any] = ABSENT
    """With what."""
    duration_ms: float = ABSENT
    """Milliseconds."""
    screenshot_url: str | None = None
    """How it looked afterwards."""
    approved_by: str | None = None
    """Who approved of it."""


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
    """A configured provider."""
    model: str | None = None
    """A model that sees."""
    timeout_s: float | None = None
    """After so many seconds the task ends."""
    stream: bool = False
    """Answer as text/event-stream."""


class ComputerUseResponse(Model):
    """What became of a task on a desktop."""

    run_id: str = ABSENT
    """The run that did it."""
    session_id: str = ABSENT
    """The desktop."""
    status: str = ABSENT
    """How the run ended, or that it waits."""
    result: str = ABSENT
    """What the agent says of it."""
    steps: list[ComputerStep] = ABSENT
    """What was done."""
    processing_time: float = ABSENT
    """Seconds."""
    token_usage: TokenUsage = ABSENT
    live_url: str | None = None
    """Where the desktop is seen."""


class ConversationPage(Model):
    """Nothing is said of it."""

    items: list[ConversationView] = ABSENT
    next_cursor: str | None = ABSENT


class ConversationPatch(Model):
    """The fields to change."""

    archived: bool | None = None
    metadata: Mapping[str, Any] | None = None
    pinned: bool | None = None
    tags: Sequence[str] | None = None
    title: str | None = None


class ConversationView(Model):
    """A conversation without its messages."""

    archived: bool = ABSENT
    created_at: datetime = ABSENT
    head_message_id: str | None = ABSENT
    """The end of its current branch."""
    id: str = ABSENT
    """Generated, or the `external_id` of its creator."""
    metadata: dict[str, Any] = ABSENT
    pinned: bool = ABSENT
    tags: list[str] = ABSENT
    title: str = ABSENT
    updated_at: datetime = ABSENT


class CredentialPage(Model):
    """Nothing is said of it."""

    items: list[CredentialView] = ABSENT
    next_cursor: str | None = ABSENT


class CredentialRotation(Model):
    """The key that replaces another, and for how long that goes on paying for open answers."""

    key: str
    """The provider's key. It is stored encrypted, and never shown again."""
    overlap_seconds: float | None = None


class CredentialView(Model):
    """A credential without its key."""

    created_at: datetime = ABSENT
    hint: str = ABSENT
    """The end of the key, of four characters at most."""
    id: str = ABSENT
    provider: str = ABSENT
    retires_at: datetime | None = ABSENT
    revoked_at: datetime | None = ABSENT
    shared: bool = ABSENT
    """Whether it is the tenant's; else it is your own."""
    state: CredentialState = ABSENT
    validated_at: datetime = ABSENT
    """When the provider accepted it."""
    version: int = ABSENT
    """Counts those of the same owner and provider."""


class DecisionRequest(Model):
    """A person's decision on the call of a tool."""

    arguments_hash: str
    """Of the arguments that the person has seen."""
    decision: Literal["approve", "deny"]


class DeploymentHealthView(Model):
    """A model whose last call failed, as this process has seen it."""

    code: str = ABSENT
    """Of its last error."""
    failures: int = ABSENT
    model: str = ABSENT
    seconds: float = ABSENT
    """Until it is called again."""
    state: str = ABSENT
    """ok, failing, ejected, limited or exhausted"""


class DoneData(Model):
    """Nothing is said of it."""

    agent_type: str = ABSENT
    conversation_id: str = ABSENT
    final_response: str = ABSENT
    finish_reason: str = ABSENT
    message_id: str = ABSENT
    metadata: ChatMetadata = ABSENT
    processing_time: float = ABSENT
    """Seconds."""
    run_id: str = ABSENT
    sources: list[Source] = ABSENT
    token_usage: TokenUsage = ABSENT


class DoneFrame(Event):
    """The answer is complete. Terminal."""

    data: DoneData = ABSENT
    event: Literal["done"] = "done"


class DonePlace(Model):
    """The same for `done`, with what older frontends read there."""

    agent_type: str = ABSENT
    conversation_id: str = ABSENT
    processing_time: float = ABSENT
    response: str = ABSENT
    run_id: str = ABSENT
    done: bool = True
    seq: int | None = None


class DrainFrame(Model):
    """This server is about to stop: come back after so many seconds, with the same cursors."""

    retry_after: float = ABSENT
    type: Literal["drain"] = "drain"


class EarlierMessage(Model):
    """A message that the caller brings along."""

    content: str | Sequence[EarlierText]
    role: Literal["user", "assistant", "system"]


class EarlierText(Model):
    """A part of an earlier message."""

    text: str
    type: Literal["text"] = "text"


class ErrorBody(Model):
    """Every error on `/api`."""

    code: str = ABSENT
    """Stable, for programs."""
    detail: str = ABSENT
    """A sentence that says what to do."""
    details: dict[str, Any] = ABSENT
    """Further details."""
    error: str = ABSENT
    """The same."""
    request_id: str | None = ABSENT
    """Also in X-Request-ID; name it when you ask for help."""


class ErrorData(Model):
    """Nothing is said of it."""

    code: str = ABSENT
    details: dict[str, Any] = ABSENT
    error: str = ABSENT
    """A sentence."""
    recoverable: bool = ABSENT
    """Trying again, or continuing, may help."""
    retry_after: float | None = None
    """Seconds."""


class ErrorFrame(Event):
    """The run failed, was cancelled or was interrupted: `code` says which. Terminal."""

    data: ErrorData = ABSENT
    event: Literal["error"] = "error"


class ErrorReply(Model):
    """A frame could not be used, or a run could not be followed; it names which, if it can."""

    code: str = ABSENT
    error: str = ABSENT
    client_msg_id: str | None = None
    details: dict[str, Any] | None = None
    errors: dict[str, list[str]] | None = None
    retry_after: float | None = None
    run_id: str | None = None


class EventPlace(Model):
    """What stands in the frame of an event beside `event` and `data`.

    `seq` is the cursor after the event; an event without one is not in the log.
    """

    run_id: str = ABSENT
    seq: int | None = None


class ExchangedCredential(Model):
    """A stored credential, and the key of this server that was made for it."""

    api_key: IssuedKeyView = ABSENT
    """Send its `key` as X-API-Key."""
    credential: CredentialView = ABSENT


class FilePage(Model):
    """Nothing is said of it."""

    items: list[FileView] = ABSENT
    next_cursor: str | None = ABSENT


class FileUploadResponse(Model):
    """A file that was uploaded."""

    checksum: str = ABSENT
    """SHA-256, in hexadecimal digits."""
    conversation_id: str | None = ABSENT
    file_id: str = ABSENT
    filename: str = ABSENT
    """As it is kept: without folders and hidden characters."""
    metadata: dict[str, Any] = ABSENT
    """`status`: what became of it so far."""
    mime_type: str = ABSENT
    """By its content, whatever its sender said."""
    size: int = ABSENT
    """In bytes."""
    url: str = ABSENT
    """Where its bytes are, with the same credentials."""


class FileView(Model):
    """A file; files of the same bytes share what was read of them."""

    characters: int = ABSENT
    """The length of its text."""
    checksum: str = ABSENT
    """SHA-256, in hexadecimal digits."""
    conversation_id: str | None = ABSENT
    created_at: datetime = ABSENT
    filename: str = ABSENT
    id: str = ABSENT
    image_url: str | None = ABSENT
    """Of an image that has been read: where it is, made anew, for showing it."""
    indexed: float | None = ABSENT
    """How much of its text is found by its meaning, 0 to 1; null where no model for that is
    configured, or there is no text.
    """
    mime_type: str = ABSENT
    """By its content, whatever its sender said."""
    pages: int = ABSENT
    """Pages, sheets or slides that have been read."""
    progress: float = ABSENT
    """How much of it has been read, 0 to 1."""
    reason: str | None = ABSENT
    """Why it is unreadable."""
    size: int = ABSENT
    """In bytes."""
    status: FileStatus = ABSENT
    """`stored` until it is read, then `reading`, and `ready` or `unreadable` after."""
    url: str = ABSENT
    """Where its bytes are, with the same credentials."""


class ForkRequest(Model):
    """The last message to copy; the end of the conversation without it."""

    message_id: str | None = None


class FunctionCallData(Model):
    """Nothing is said of it."""

    arguments: dict[str, Any] = ABSENT
    call_id: str = ABSENT
    function_name: str = ABSENT
    task_id: str | None = None
    """The task for which it was done."""


class FunctionCallFrame(Event):
    """The model called a tool."""

    data: FunctionCallData = ABSENT
    event: Literal["function_call"] = "function_call"


class GitHubResult(Model):
    """One repository, file, issue or pull request."""

    content: str = ABSENT
    """Plain text of it; of code, what matched."""
    metadata: dict[str, Any] = ABSENT
    """Depends on the type."""
    title: str = ABSENT
    url: str = ABSENT


class GitHubSearchResponse(Model):
    """One page of results, the best first."""

    incomplete: bool = ABSENT
    """GitHub ran out of time before it had seen all."""
    page: int = ABSENT
    query: str = ABSENT
    response_time: float = ABSENT
    """In seconds."""
    results: list[GitHubResult] = ABSENT
    total: int = ABSENT
    """How many there are on all pages; 1,000 of them can be read."""
    type: GitHubKind = ABSENT


class Health(Model):
    """The process is alive."""

    status: Literal["ok"] = "ok"
    timestamp: datetime = ABSENT
    version: str = ABSENT


class InvalidBody(Model):
    """An error that names fields."""

    code: str = ABSENT
    """Stable, for programs."""
    detail: str = ABSENT
    """A sentence that says what to do."""
    details: dict[str, Any] = ABSENT
    """Further details."""
    error: str = ABSENT
    """The same."""
    errors: dict[str, list[str]] = ABSENT
    """What is wrong, by field."""
    request_id: str | None = ABSENT
    """Also in X-Request-ID; name it when you ask for help."""


class IssuedKeyView(Model):
    """A new key, whole this once."""

    active: bool = ABSENT
    """False once it is revoked, expired or retired."""
    created_at: datetime = ABSENT
    expires_at: datetime | None = ABSENT
    id: str = ABSENT
    key: str = ABSENT
    name: str = ABSENT
    owner_id: str = ABSENT
    replaced_by: str | None = ABSENT
    """The id of its successor."""
    retires_at: datetime | None = ABSENT
    """When it ends because it has a successor."""
    revoked_at: datetime | None = ABSENT
    scopes: ScopesView = ABSENT


class KeyPage(Model):
    """Nothing is said of it."""

    items: list[KeyView] = ABSENT
    next_cursor: str | None = ABSENT


class KeyPatch(Model):
    """The fields to change. `scopes` replace those that there were."""

    expires_at: datetime | None = None
    """With a time zone; not after the key that asks."""
    name: str | None = None
    scopes: ScopesBody | None = None


class KeyRotation(Model):
    """For how long the old key goes on working; as the server is configured without it."""

    overlap_seconds: float | None = None


class KeyView(Model):
    """An API key without its secret."""

    active: bool = ABSENT
    """False once it is revoked, expired or retired."""
    created_at: datetime = ABSENT
    expires_at: datetime | None = ABSENT
    id: str = ABSENT
    name: str = ABSENT
    owner_id: str = ABSENT
    replaced_by: str | None = ABSENT
    """The id of its successor."""
    retires_at: datetime | None = ABSENT
    """When it ends because it has a successor."""
    revoked_at: datetime | None = ABSENT
    scopes: ScopesView = ABSENT


class LoginSessionView(Model):
    """The signed-in owner; the session itself is in the cookie."""

    expires_in: float = ABSENT
    """Seconds."""
    owner_id: str = ABSENT


class Me(Model):
    """Who calls, and what with."""

    admin: bool = ABSENT
    """Whether this key administers the tenant."""
    key_id: str = ABSENT
    name: str = ABSENT
    operator: bool = ABSENT
    """Whether this key administers the server."""
    owner_id: str = ABSENT
    role: UserRole = ABSENT
    scopes: ScopesView = ABSENT
    tenant_id: str = ABSENT


class MessageEdit(Model):
    """The new text of a message."""

    content: str
    """A user's message holds at most 32000 characters."""
    stream: bool = False
    """Answer as text/event-stream."""


class MessagePage(Model):
    """Nothing is said of it."""

    items: list[MessageView] = ABSENT
    next_cursor: str | None = ABSENT


class MessageRequest(Model):
    """A message to be answered in the conversation that the path names."""

    message: str
    agent_override: str | None = None
    """The agent that answers."""
    approval: ApprovalPolicy | None = None
    """Which calls of tools a person decides on; it can only be tightened."""
    attachments: Sequence[str] | None = None
    busy: BusyPolicy | None = None
    """What to do while the conversation's last answer is being written; without it the server's
    setting counts.
    """
    client_msg_id: str | None = None
    """Makes this message one, however often it is sent."""
    context: Sequence[EarlierMessage] | Mapping[str, Any] | None = None
    """Earlier messages from elsewhere, oldest first."""
    limits: AnswerLimits | None = None
    """What the answer may take."""
    max_tokens: int | None = None
    metadata: Mapping[str, Any] | None = None
    model: str | None = None
    provider: str | None = None
    """A configured provider; without it the assistant chooses."""
    stream: bool = False
    """Answer as text/event-stream."""
    system: str | None = None
    temperature: float | None = None
    tools: Sequence[str] | None = None


class MessageView(Model):
    """A message in its conversation's tree; edits and retries are siblings under one parent."""

    content: str = ABSENT
    """The text of the message."""
    conversation_id: str = ABSENT
    edited: bool = ABSENT
    id: str = ABSENT
    metadata: dict[str, Any] = ABSENT
    model: str | None = ABSENT
    parent_id: str | None = ABSENT
    parts: list[MessagePart] = ABSENT
    """All parts: text, reasoning, tool calls, ..."""
    provider: str | None = ABSENT
    role: str = ABSENT
    run_id: str | None = ABSENT
    status: str = ABSENT
    """`partial` where the answer ended early."""
    timestamp: datetime = ABSENT
    token_usage: TokenUsage | None = ABSENT


class MetricsData(Model):
    """Nothing is said of it."""

    model_calls: int = ABSENT
    response_time: float = ABSENT
    """Seconds."""
    time_to_first_token: float | None = ABSENT
    """Seconds."""
    tokens_used: int = ABSENT
    task_id: str | None = None
    """The task for which it was done."""


class MetricsFrame(Event):
    """One model call ended."""

    data: MetricsData = ABSENT
    event: Literal["metrics"] = "metrics"


class ModelList(Model):
    """All models; `models` holds their ids."""

    data: list[ModelView] = ABSENT
    models: list[str] = ABSENT


class ModelView(Model):
    """One model at one provider."""

    capabilities: list[str] = ABSENT
    context_length: int | None = ABSENT
    """Tokens; null where it is not known."""
    id: str = ABSENT
    provider: str = ABSENT


class NewConversation(Model):
    """A new conversation; without a title it gets one from its first message."""

    external_id: str | None = None
    """An id of your own, unique among yours; without `/`, `?` and `#`."""
    metadata: Mapping[str, Any] | None = None
    tags: Sequence[str] | None = None
    title: str | None = None


class NewCredential(Model):
    """A provider's key, for a key of this server that may use this provider only."""

    key: str
    """The provider's key. It is stored encrypted, and never shown again."""
    provider: str
    shared: bool = False
    """Whether it pays for all users of your tenant; admins only."""


class NewKey(Model):
    """A key for yourself; without `scopes` it may do what the key that asks may."""

    name: str
    expires_at: datetime | None = None
    """With a time zone; not after the key that asks."""
    scopes: ScopesBody | None = None


class NewKeyOfUser(Model):
    """A key for a user."""

    name: str
    owner_id: str
    """Letters, digits and . _ @ -"""
    expires_at: datetime | None = None
    """With a time zone; not after the key that asks."""
    scopes: ScopesBody | None = None


class NewTenant(Model):
    """A tenant; its name is its id if there is no other."""

    id: str
    """Letters, digits and . _ @ -"""
    name: str | None = None


class NewUser(Model):
    """A user of a tenant; the id is the `owner_id` of what the user stores."""

    id: str
    """Letters, digits and . _ @ -"""
    tenant_id: str
    """Letters, digits and . _ @ -"""
    name: str | None = None
    role: UserRole = "member"


class OwnSearchResponse(Model):
    """One page of results."""

    has_more: bool = ABSENT
    query: str = ABSENT
    results: list[OwnSearchResult] = ABSENT
    total: int = ABSENT


class OwnSearchResult(Model):
    """One search result."""

    id: str = ABSENT
    metadata: dict[str, Any] = ABSENT
    snippet: str = ABSENT
    """Plain text around the text hit."""
    timestamp: datetime = ABSENT
    title: str = ABSENT
    type: SearchKind = ABSENT
    url: str = ABSENT
    """Where to read it."""


class PeriodBudget(Model):
    """What may be used in each period; null is not limited, and 0 allows no call that costs."""

    money: float | str | None = None
    """US dollars."""
    tokens: int | None = None
    """Of input and output together."""


class PingFrame(Model):
    """Asks for a `pong`."""

    type: Literal["ping"] = "ping"


class PongFrame(Model):
    """The answer to `ping`."""

    type: Literal["pong"] = "pong"


class ProviderCheck(Model):
    """The report of a test; `ok` if every step succeeded."""

    ok: bool = ABSENT
    provider: str = ABSENT
    steps: list[CheckStepView] = ABSENT


class ProviderList(Model):
    """All providers, preferred ones first."""

    providers: list[ProviderView] = ABSENT
    total: int = ABSENT


class ProviderView(Model):
    """One provider, without secrets."""

    base_url: str | None = ABSENT
    default_model: str | None = ABSENT
    dialect: str | None = ABSENT
    """The wire that it speaks; null for our own model."""
    has_credential: bool = ABSENT
    """Whether it is called with a key or a token."""
    health: list[DeploymentHealthView] = ABSENT
    """Its models whose last call failed."""
    models: int | None = ABSENT
    """How many models it lists; null if it does not tell."""
    name: str = ABSENT


class QueuedData(Model):
    """Nothing is said of it."""

    position: int = ABSENT
    """From 1."""
    eta_seconds: float | None = None
    """Likely seconds until its turn, if it waits for a provider."""
    provider: str | None = None


class QueuedFrame(Event):
    """The run waits: for earlier runs of its conversation, or for the `provider` that is named."""

    data: QueuedData = ABSENT
    event: Literal["queued"] = "queued"


class Readiness(Model):
    """Whether the server can serve requests; the rest is for authenticated callers."""

    ready: bool = ABSENT
    mcp: dict[str, bool] | None = None
    """Which servers of tools answer; absent where none is configured. One that does not leaves
    this server ready.
    """
    sandbox: str | None = None
    """How programs of agents are shut in: `full`, `partial, without ...` or `none: ...`; absent
    where `run_code` is off.
    """
    services: dict[str, bool] | None = None
    """Which part works."""


class ReasoningData(Model):
    """Nothing is said of it."""

    delta: str = ABSENT


class ReasoningFrame(Event):
    """More reasoning of the model."""

    data: ReasoningData = ABSENT
    event: Literal["reasoning"] = "reasoning"


class ReasoningPart(Model):
    """A model's reasoning.

    `signature` and `encrypted` must be sent back unchanged, and only to their `origin`, the
    dialect
    that they came in: the one proves who wrote the text, the other is reasoning that nobody else
    can read. `id` is the origin's own id of it.
    """

    text: str = ABSENT
    type: Literal["reasoning"] = "reasoning"
    encrypted: str | None = None
    id: str | None = None
    origin: str | None = None
    signature: str | None = None


class RefusalPart(Model):
    """The model's words for refusing to answer, where its dialect tells them from text."""

    text: str = ABSENT
    type: Literal["refusal"] = "refusal"


class ResumeFrame(Model):
    """Asks for the events of a run after one that was received, and for those to come."""

    run_id: str
    type: Literal["resume"] = "resume"
    after: int = 0
    """The last event that was received."""


class RetryRequest(Model):
    """How to send the new answer."""

    stream: bool = False
    """Answer as text/event-stream."""


class RunView(Model):
    """A run: the generation of one answer."""

    agent_type: str = ABSENT
    approvals: list[ApprovalView] = ABSENT
    """What it waits for a person to decide on."""
    attempt: int = ABSENT
    cancel_requested: bool = ABSENT
    conversation_id: str = ABSENT
    created_at: datetime = ABSENT
    ended_at: datetime | None = ABSENT
    error_code: str | None = ABSENT
    id: str = ABSENT
    last_event_id: str | None = ABSENT
    """Of its last event, once it has ended."""
    message_id: str = ABSENT
    """The message that holds the answer."""
    metadata: dict[str, Any] = ABSENT
    """What the request for this answer brought."""
    model: str = ABSENT
    provider: str = ABSENT
    started_at: datetime | None = ABSENT
    status: str = ABSENT
    surface: str = ABSENT
    token_usage: TokenUsage | None = ABSENT
    user_message_id: str = ABSENT
    """The message that is answered."""


class ScopesBody(Model):
    """What a key may do. What is left out is not limited; an empty list allows nothing."""

    models: Sequence[str] | None = None
    """Patterns with `*`, of `provider/model`, or of a model at any provider."""
    operations: Sequence[KeyOperation] | None = None
    providers: Sequence[str] | None = None
    requests_per_minute: int | None = None
    """Counted by each worker."""
    tokens_per_minute: int | None = None
    """Of input and output, when an answer has ended; counted by each worker."""
    tools: Sequence[str] | None = None
    """Patterns of the types of tools that a provider runs."""


class ScopesView(Model):
    """What a key may do; null is not limited."""

    models: list[str] | None = ABSENT
    operations: list[str] | None = ABSENT
    providers: list[str] | None = ABSENT
    requests_per_minute: int | None = ABSENT
    tokens_per_minute: int | None = ABSENT
    tools: list[str] | None = ABSENT


class SearchRequest(Model):
    """What to search for, and where."""

    query: str
    include_answer: bool = False
    """Also a short answer, from providers that give one."""
    max_results: int = 5
    provider: str = "tavily"
    """`tavily`, `brave`, `searxng`; `local` searches what is your own."""
    time_range: TimeRange | None = None
    """How old results may be."""
    topic: Topic = "general"
    """Engines without it search all pages."""


class SearchResponse(Model):
    """The results, the best first."""

    answer: str | None = ABSENT
    provider: str = ABSENT
    """Which searched."""
    query: str = ABSENT
    response_time: float = ABSENT
    """In seconds."""
    results: list[SearchResult] = ABSENT
    total: int = ABSENT
    """How many results these are."""


class SearchResult(Model):
    """One page that was found."""

    content: str = ABSENT
    """Plain text of it."""
    published_date: datetime | None = ABSENT
    score: float = ABSENT
    """From 0 to 1, the higher the better."""
    title: str = ABSENT
    url: str = ABSENT


class SignIn(Model):
    """A code from the server's sign-in link; without one the API key in the header is used."""

    code: str | None = None


class SnapshotData(Model):
    """Nothing is said of it."""

    messages: list[SnapshotMessage] = ABSENT
    recovered: bool = ABSENT
    """False: the cursor lay beyond what survived."""


class SnapshotFrame(Event):
    """The messages so far; replaces everything that was received before."""

    data: SnapshotData = ABSENT
    event: Literal["snapshot"] = "snapshot"


class SnapshotMessage(Model):
    """Nothing is said of it."""

    content: str = ABSENT
    parts: list[MessagePart] = ABSENT
    role: str = ABSENT


class Source(Model):
    """The source of a statement in the answer; `index` is the n of its `[n]` mark."""

    index: int = ABSENT
    snippet: str | None = ABSENT
    title: str = ABSENT
    url: str | None = ABSENT


class SourceFrame(Event):
    """A source of the answer."""

    data: Source = ABSENT
    event: Literal["source"] = "source"


class StreamStartData(Model):
    """Nothing is said of it."""

    agent_type: str = ABSENT
    conversation_id: str = ABSENT
    message_id: str = ABSENT
    """The message that will hold the answer."""
    model: str = ABSENT
    run_id: str = ABSENT
    resumed: bool = False
    """It continues an interrupted answer."""


class StreamStartFrame(Event):
    """A run starts. Always the first logged event."""

    data: StreamStartData = ABSENT
    event: Literal["stream_start"] = "stream_start"


class StreamTicket(Model):
    """Starts one stream: `GET /api/chat/stream?ticket=...`."""

    expires_in: float = ABSENT
    """Seconds."""
    ticket: str = ABSENT


class TaskCompleteData(Model):
    """Nothing is said of it."""

    agent_type: str = ABSENT
    execution_time: float = ABSENT
    """Seconds."""
    result: str = ABSENT
    success: bool = ABSENT
    task_id: str = ABSENT


class TaskCompleteFrame(Event):
    """A task ended."""

    data: TaskCompleteData = ABSENT
    event: Literal["agent_task_complete"] = "agent_task_complete"


class TaskProgressData(Model):
    """Nothing is said of it."""

    current_step: str = ABSENT
    """What is being done now."""
    progress: float | None = ABSENT
    """From 0 to 1, where it is known."""
    status: str = ABSENT
    task_id: str = ABSENT
    """The task, or the call of a tool."""


class TaskProgressFrame(Event):
    """How far a task, or a tool, is."""

    data: TaskProgressData = ABSENT
    event: Literal["agent_task_progress"] = "agent_task_progress"


class TaskStartData(Model):
    """Nothing is said of it."""

    agent_type: str = ABSENT
    """The agent that does the task."""
    call_id: str = ABSENT
    """The call of `delegate` that gave it."""
    description: str = ABSENT
    task_id: str = ABSENT


class TaskStartFrame(Event):
    """An agent began a task that another agent gave it."""

    data: TaskStartData = ABSENT
    event: Literal["agent_task_start"] = "agent_task_start"


class TenantPage(Model):
    """Nothing is said of it."""

    items: list[TenantView] = ABSENT
    next_cursor: str | None = ABSENT


class TenantPatch(Model):
    """The fields to change. While a tenant is disabled no key of its users works."""

    disabled: bool | None = None
    name: str | None = None


class TenantView(Model):
    """A tenant."""

    created_at: datetime = ABSENT
    disabled_at: datetime | None = ABSENT
    id: str = ABSENT
    name: str = ABSENT


class TextPart(Model):
    """Plain text."""

    text: str = ABSENT
    type: Literal["text"] = "text"
    cache: CacheBreakpoint | None = None


class TokenData(Model):
    """Nothing is said of it."""

    content: str = ABSENT
    """The same as `delta`."""
    delta: str = ABSENT
    """The new text."""
    position: int = ABSENT
    """Unicode code points before it."""


class TokenFrame(Event):
    """More text of the answer."""

    data: TokenData = ABSENT
    event: Literal["token"] = "token"


class TokenUsage(Model):
    """Tokens of the prompt and of the answer; `estimated` if the provider did not report them.

    The true numbers are then within `error_bound` of these, as a fraction of them.
    """

    completion_tokens: int = ABSENT
    error_bound: float = ABSENT
    estimated: bool = ABSENT
    prompt_tokens: int = ABSENT
    total_tokens: int = ABSENT


class ToolCallPart(Model):
    """A model's request to call a tool.

    `malformed` is told of one whose arguments were no JSON object: these hold their text.
    """

    arguments: dict[str, Any] = ABSENT
    call_id: str = ABSENT
    name: str = ABSENT
    type: Literal["tool_call"] = "tool_call"
    cache: CacheBreakpoint | None = None
    malformed: bool = False


class ToolResultData(Model):
    """Nothing is said of it."""

    call_id: str = ABSENT
    result: Any = ABSENT
    success: bool = ABSENT
    tool_name: str = ABSENT
    task_id: str | None = None
    """The task for which it was done."""


class ToolResultFrame(Event):
    """The tool returned a result."""

    data: ToolResultData = ABSENT
    event: Literal["tool_result"] = "tool_result"


class ToolResultPart(Model):
    """The result of a tool call: text, files, or both."""

    call_id: str = ABSENT
    content: list[TextPart | AttachmentPart | VendorPart] = ABSENT
    type: Literal["tool_result"] = "tool_result"
    cache: CacheBreakpoint | None = None
    name: str | None = None
    success: bool = True


class UploadedFiles(Model):
    """Files that were uploaded, in the order in which they came."""

    files: list[FileUploadResponse] = ABSENT
    total: int = ABSENT


class UsageGroup(Model):
    """What the model calls of one group used; token totals are inclusive."""

    cache_read_tokens: int = ABSENT
    cache_write_tokens: int = ABSENT
    calls: int = ABSENT
    cost: str = ABSENT
    """US dollars, without the unpriced calls."""
    error_bound: float = ABSENT
    """How far estimates may be off, as a fraction."""
    estimated: bool = ABSENT
    """Whether we counted a part, not the provider."""
    input_tokens: int = ABSENT
    name: str = ABSENT
    output_tokens: int = ABSENT
    reasoning_tokens: int = ABSENT
    unpriced_calls: int = ABSENT
    """Calls whose price is not known."""


class UsageReport(Model):
    """Usage by group, the dearest first."""

    budgets: list[BudgetView] = ABSENT
    """Those that your calls count against now."""
    items: list[UsageGroup] = ABSENT
    total_calls: int = ABSENT
    total_cost: str = ABSENT
    """US dollars, without the unpriced calls."""


class UserPage(Model):
    """Nothing is said of it."""

    items: list[UserView] = ABSENT
    next_cursor: str | None = ABSENT


class UserPatch(Model):
    """The fields to change. While a user is disabled none of its keys works."""

    disabled: bool | None = None
    name: str | None = None
    role: UserRole | None = None


class UserView(Model):
    """A user."""

    created_at: datetime = ABSENT
    disabled_at: datetime | None = ABSENT
    id: str = ABSENT
    name: str = ABSENT
    role: UserRole = ABSENT
    tenant_id: str = ABSENT


class VendorPart(Model):
    """A part that only its `origin`, a dialect, understands, as it came: kept and sent back."""

    data: dict[str, Any] = ABSENT
    origin: str = ABSENT
    type: Literal["vendor"] = "vendor"


class VoiceInputResponse(Model):
    """What was said, and the answer to it."""

    transcription: str = ABSENT
    """What was said."""
    confidence: float = ABSENT
    """How sure the transcription is, 0 to 1."""
    duration: float = ABSENT
    """Of what was said, in seconds."""
    language: str = ABSENT
    """What was spoken."""
    words: list[dict[str, Any]] = ABSENT
    """Each with its times."""
    processing_time: float = ABSENT
    """Seconds."""
    response: str | None = None
    """The answer."""
    conversation_id: str | None = None
    """Where both are."""
    run_id: str | None = None
    """The run that answered."""
    audio_url: str | None = None
    """Where the spoken answer is."""


class WaitingResponse(Model):
    """An answer that waits for a person; its run goes on after the decision."""

    approval: ApprovalView = ABSENT
    """The first of them."""
    approvals: list[ApprovalView] = ABSENT
    conversation_id: str = ABSENT
    run_id: str = ABSENT
    status: str = ABSENT


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
