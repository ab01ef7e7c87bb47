# Generated from the contract by `cartrita contract`: do not edit.
"""The operations as methods that block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from cartrita_client.generated import table
from cartrita_client.operations import Given, Operation

if TYPE_CHECKING:
    from cartrita_client.chat_streams import ChatStream
    from cartrita_client.downloads import Download
    from cartrita_client.forms import FileInput, Progress
    from cartrita_client.generated import models


class Operations(ABC):
    """One method for each operation; what they return comes from the four below."""

    @abstractmethod
    def _answer(self, operation: Operation, given: Given) -> Any:
        """The value of a whole answer."""

    @abstractmethod
    def _items(self, operation: Operation, given: Given) -> Any:
        """What all pages hold, one after the other."""

    @abstractmethod
    def _stream(self, operation: Operation, given: Given) -> ChatStream:
        """A stream of events, which is asked for when it is read."""

    @abstractmethod
    def _download(self, operation: Operation, given: Given) -> Download:
        """A file, which is asked for when it is read."""

    def get_analytics(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: models.AnalyticsStep | None = None,
        tenant_id: str | None = None,
        timeout: float | None = None,
    ) -> models.AnalyticsReport:
        """What the users of a tenant did, or all whom you administer: sums, and no word of
        theirs.

        At most 93 days at once: every call and run of the time is read.

        Args:
            since: With a time zone; without it 30 days ago.
            until: Excluded; without it now.
            step: How long one interval is.
            tenant_id: The id of the tenant.
        """
        found: models.AnalyticsReport = self._answer(
            table.GET_ANALYTICS,
            Given(
                query={"since": since, "until": until, "step": step, "tenant_id": tenant_id},
                timeout=timeout,
            ),
        )
        return found

    def list_audit_log(
        self, *, limit: int | None = None, cursor: str | None = None, timeout: float | None = None
    ) -> models.AuditEntryPage:
        """Who changed which key, user or tenant, the latest first.

        Args:
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.AuditEntryPage = self._answer(
            table.LIST_AUDIT_LOG, Given(query={"limit": limit, "cursor": cursor}, timeout=timeout)
        )
        return found

    def iter_audit_log(
        self, *, limit: int | None = None, timeout: float | None = None
    ) -> Iterator[models.AuditEntryView]:
        """All that `list_audit_log` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.AuditEntryView] = self._items(
            table.LIST_AUDIT_LOG, Given(query={"limit": limit}, timeout=timeout)
        )
        return found

    def list_all_keys(
        self,
        *,
        owner_id: str | None = None,
        tenant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> models.KeyPage:
        """The keys of a user, of a tenant, or all, the oldest first.

        Args:
            owner_id: Only keys of this user.
            tenant_id: Only keys of this tenant.
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.KeyPage = self._answer(
            table.LIST_ALL_KEYS,
            Given(
                query={
                    "owner_id": owner_id,
                    "tenant_id": tenant_id,
                    "limit": limit,
                    "cursor": cursor,
                },
                timeout=timeout,
            ),
        )
        return found

    def iter_all_keys(
        self,
        *,
        owner_id: str | None = None,
        tenant_id: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[models.KeyView]:
        """All that `list_all_keys` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.KeyView] = self._items(
            table.LIST_ALL_KEYS,
            Given(
                query={"owner_id": owner_id, "tenant_id": tenant_id, "limit": limit},
                timeout=timeout,
            ),
        )
        return found

    def create_key_of_user(
        self,
        *,
        name: str,
        owner_id: str,
        scopes: models.ScopesBody | Mapping[str, Any] | None = None,
        expires_at: datetime | None = None,
        timeout: float | None = None,
    ) -> models.IssuedKeyView:
        """Make a key for a user, which may do no more than the one that asks.

        Args:
            name: Its name.
            owner_id: Letters, digits and . _ @ -
            scopes: What the key may do.
            expires_at: With a time zone; not after the key that asks.
        """
        found: models.IssuedKeyView = self._answer(
            table.CREATE_KEY_OF_USER,
            Given(
                body={
                    "name": name,
                    "owner_id": owner_id,
                    "scopes": scopes,
                    "expires_at": expires_at,
                },
                timeout=timeout,
            ),
        )
        return found

    def get_any_key(self, key_id: str, *, timeout: float | None = None) -> models.KeyView:
        """A key."""
        found: models.KeyView = self._answer(
            table.GET_ANY_KEY, Given(path=(key_id,), timeout=timeout)
        )
        return found

    def change_any_key(
        self,
        key_id: str,
        *,
        name: str | None = None,
        scopes: models.ScopesBody | Mapping[str, Any] | None = None,
        expires_at: datetime | None = None,
        timeout: float | None = None,
    ) -> models.KeyView:
        """Change a key; it counts at once. Streams of a key that may do less now are cut.

        Args:
            name: Its name.
            scopes: What the key may do.
            expires_at: With a time zone; not after the key that asks.
        """
        found: models.KeyView = self._answer(
            table.CHANGE_ANY_KEY,
            Given(
                path=(key_id,),
                body={"name": name, "scopes": scopes, "expires_at": expires_at},
                timeout=timeout,
            ),
        )
        return found

    def get_key_budgets(self, key_id: str, *, timeout: float | None = None) -> models.BudgetList:
        """The budgets of a key, which are those of its successors too."""
        found: models.BudgetList = self._answer(
            table.GET_KEY_BUDGETS, Given(path=(key_id,), timeout=timeout)
        )
        return found

    def replace_key_budgets(
        self,
        key_id: str,
        *,
        day: models.PeriodBudget | Mapping[str, Any] | None = None,
        month: models.PeriodBudget | Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> models.BudgetList:
        """Give a key these budgets and no others. They count within a second.

        Args:
            day: For each day.
            month: For each month.
        """
        found: models.BudgetList = self._answer(
            table.REPLACE_KEY_BUDGETS,
            Given(path=(key_id,), body={"day": day, "month": month}, timeout=timeout),
        )
        return found

    def revoke_any_key(self, key_id: str, *, timeout: float | None = None) -> models.KeyView:
        """End a key and what streams with it. Idempotent."""
        found: models.KeyView = self._answer(
            table.REVOKE_ANY_KEY, Given(path=(key_id,), timeout=timeout)
        )
        return found

    def rotate_any_key(
        self, key_id: str, *, overlap_seconds: float | None = None, timeout: float | None = None
    ) -> models.IssuedKeyView:
        """Make the successor of a key, with the same scopes; the old one works for a while more.

        Args:
            overlap_seconds: For how long the old one goes on working.
        """
        found: models.IssuedKeyView = self._answer(
            table.ROTATE_ANY_KEY,
            Given(path=(key_id,), body={"overlap_seconds": overlap_seconds}, timeout=timeout),
        )
        return found

    def list_tenants(
        self, *, limit: int | None = None, cursor: str | None = None, timeout: float | None = None
    ) -> models.TenantPage:
        """The tenants, in the order of their ids; for the admin of a tenant that one.

        Args:
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.TenantPage = self._answer(
            table.LIST_TENANTS, Given(query={"limit": limit, "cursor": cursor}, timeout=timeout)
        )
        return found

    def iter_tenants(
        self, *, limit: int | None = None, timeout: float | None = None
    ) -> Iterator[models.TenantView]:
        """All that `list_tenants` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.TenantView] = self._items(
            table.LIST_TENANTS, Given(query={"limit": limit}, timeout=timeout)
        )
        return found

    def create_tenant(
        self, *, id: str, name: str | None = None, timeout: float | None = None
    ) -> models.TenantView:
        """Make a tenant. Only an admin of the server may.

        Args:
            id: Letters, digits and . _ @ -
            name: Its name.
        """
        found: models.TenantView = self._answer(
            table.CREATE_TENANT, Given(body={"id": id, "name": name}, timeout=timeout)
        )
        return found

    def get_tenant(self, tenant_id: str, *, timeout: float | None = None) -> models.TenantView:
        """A tenant."""
        found: models.TenantView = self._answer(
            table.GET_TENANT, Given(path=(tenant_id,), timeout=timeout)
        )
        return found

    def change_tenant(
        self,
        tenant_id: str,
        *,
        name: str | None = None,
        disabled: bool | None = None,
        timeout: float | None = None,
    ) -> models.TenantView:
        """Rename a tenant, or disable it, which only an admin of the server may; its keys stop
        then.

        Args:
            name: Its name.
            disabled: Whether its keys stop working.
        """
        found: models.TenantView = self._answer(
            table.CHANGE_TENANT,
            Given(path=(tenant_id,), body={"name": name, "disabled": disabled}, timeout=timeout),
        )
        return found

    def get_tenant_budgets(
        self, tenant_id: str, *, timeout: float | None = None
    ) -> models.BudgetList:
        """The budgets of a tenant, for all of its users together."""
        found: models.BudgetList = self._answer(
            table.GET_TENANT_BUDGETS, Given(path=(tenant_id,), timeout=timeout)
        )
        return found

    def replace_tenant_budgets(
        self,
        tenant_id: str,
        *,
        day: models.PeriodBudget | Mapping[str, Any] | None = None,
        month: models.PeriodBudget | Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> models.BudgetList:
        """Give a tenant these budgets and no others. Only an admin of the server may.

        Args:
            day: For each day.
            month: For each month.
        """
        found: models.BudgetList = self._answer(
            table.REPLACE_TENANT_BUDGETS,
            Given(path=(tenant_id,), body={"day": day, "month": month}, timeout=timeout),
        )
        return found

    def list_users(
        self,
        *,
        tenant_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> models.UserPage:
        """The users of a tenant, or all whom you administer, in the order of their ids.

        Args:
            tenant_id: Only users of this tenant.
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.UserPage = self._answer(
            table.LIST_USERS,
            Given(
                query={"tenant_id": tenant_id, "limit": limit, "cursor": cursor}, timeout=timeout
            ),
        )
        return found

    def iter_users(
        self,
        *,
        tenant_id: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[models.UserView]:
        """All that `list_users` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.UserView] = self._items(
            table.LIST_USERS, Given(query={"tenant_id": tenant_id, "limit": limit}, timeout=timeout)
        )
        return found

    def create_user(
        self,
        *,
        id: str,
        tenant_id: str,
        name: str | None = None,
        role: models.UserRole | None = None,
        timeout: float | None = None,
    ) -> models.UserView:
        """Make a user of a tenant, who has no key yet.

        Args:
            id: Letters, digits and . _ @ -
            tenant_id: Letters, digits and . _ @ -
            name: Its name.
            role: What the user may do in its tenant.
        """
        found: models.UserView = self._answer(
            table.CREATE_USER,
            Given(
                body={"id": id, "tenant_id": tenant_id, "name": name, "role": role}, timeout=timeout
            ),
        )
        return found

    def get_user(self, user_id: str, *, timeout: float | None = None) -> models.UserView:
        """A user."""
        found: models.UserView = self._answer(
            table.GET_USER, Given(path=(user_id,), timeout=timeout)
        )
        return found

    def change_user(
        self,
        user_id: str,
        *,
        name: str | None = None,
        disabled: bool | None = None,
        role: models.UserRole | None = None,
        timeout: float | None = None,
    ) -> models.UserView:
        """Rename a user, change its role, or disable it; then its keys stop and its streams are
        cut.

        Args:
            name: Its name.
            disabled: Whether its keys stop working.
            role: What the user may do in its tenant.
        """
        found: models.UserView = self._answer(
            table.CHANGE_USER,
            Given(
                path=(user_id,),
                body={"name": name, "disabled": disabled, "role": role},
                timeout=timeout,
            ),
        )
        return found

    def get_user_budgets(self, user_id: str, *, timeout: float | None = None) -> models.BudgetList:
        """The budgets of a user, for all of its keys together."""
        found: models.BudgetList = self._answer(
            table.GET_USER_BUDGETS, Given(path=(user_id,), timeout=timeout)
        )
        return found

    def replace_user_budgets(
        self,
        user_id: str,
        *,
        day: models.PeriodBudget | Mapping[str, Any] | None = None,
        month: models.PeriodBudget | Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> models.BudgetList:
        """Give a user these budgets and no others. They count within a second.

        Args:
            day: For each day.
            month: For each month.
        """
        found: models.BudgetList = self._answer(
            table.REPLACE_USER_BUDGETS,
            Given(path=(user_id,), body={"day": day, "month": month}, timeout=timeout),
        )
        return found

    def get_agents(self, *, timeout: float | None = None) -> models.AgentDiscovery:
        """List the agents; `agent_override` in a chat request takes one of their ids."""
        found: models.AgentDiscovery = self._answer(table.GET_AGENTS, Given(timeout=timeout))
        return found

    def get_agent(self, agent_id: str, *, timeout: float | None = None) -> models.AgentInfo:
        """Get one agent."""
        found: models.AgentInfo = self._answer(
            table.GET_AGENT, Given(path=(agent_id,), timeout=timeout)
        )
        return found

    def post_chat(
        self,
        *,
        message: str,
        client_msg_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        context: Sequence[models.EarlierMessage] | Mapping[str, Any] | None = None,
        agent_override: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[str] | None = None,
        attachments: Sequence[str] | None = None,
        system: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        limits: models.AnswerLimits | Mapping[str, Any] | None = None,
        approval: models.ApprovalPolicy | None = None,
        busy: models.BusyPolicy | None = None,
        conversation_id: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.ChatResponse:
        """Send a message and wait for the complete answer; `stream: true` streams it.

        The run continues if the client disconnects: see `GET /api/runs/{id}`.

        Args:
            message: What is said.
            client_msg_id: Makes this message one, however often it is sent.
            provider: A configured provider; without it the assistant chooses.
            model: The name of the model.
            context: Earlier messages from elsewhere, oldest first.
            agent_override: The agent that answers.
            temperature: The higher the freer.
            max_tokens: The answer takes no more.
            tools: Names of tools that the answer may use.
            attachments: Ids of files that belong to the message.
            system: Instructions for this answer.
            metadata: What was stored with it, or comes along.
            limits: What the answer may take.
            approval: Which calls of tools a person decides on; it can only be tightened.
            busy: What to do while the conversation's last answer is being written; without it
                the server's setting counts.
            conversation_id: The conversation to continue; without it one is made.
        """
        found: models.ChatResponse = self._answer(
            table.POST_CHAT,
            Given(
                body={
                    "message": message,
                    "client_msg_id": client_msg_id,
                    "provider": provider,
                    "model": model,
                    "context": context,
                    "agent_override": agent_override,
                    "temperature": temperature,
                    "max_tokens": max_tokens,
                    "tools": tools,
                    "attachments": attachments,
                    "system": system,
                    "metadata": metadata,
                    "limits": limits,
                    "approval": approval,
                    "busy": busy,
                    "conversation_id": conversation_id,
                },
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )
        return found

    def stream_chat(
        self,
        *,
        message: str,
        client_msg_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        context: Sequence[models.EarlierMessage] | Mapping[str, Any] | None = None,
        agent_override: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[str] | None = None,
        attachments: Sequence[str] | None = None,
        system: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        limits: models.AnswerLimits | Mapping[str, Any] | None = None,
        approval: models.ApprovalPolicy | None = None,
        busy: models.BusyPolicy | None = None,
        conversation_id: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ChatStream:
        """Send a message and receive the answer as server-sent events.

        With `Last-Event-ID` the stream of that run is resumed, and no message is sent.

        Args:
            message: What is said.
            client_msg_id: Makes this message one, however often it is sent.
            provider: A configured provider; without it the assistant chooses.
            model: The name of the model.
            context: Earlier messages from elsewhere, oldest first.
            agent_override: The agent that answers.
            temperature: The higher the freer.
            max_tokens: The answer takes no more.
            tools: Names of tools that the answer may use.
            attachments: Ids of files that belong to the message.
            system: Instructions for this answer.
            metadata: What was stored with it, or comes along.
            limits: What the answer may take.
            approval: Which calls of tools a person decides on; it can only be tightened.
            busy: What to do while the conversation's last answer is being written; without it
                the server's setting counts.
            conversation_id: The conversation to continue; without it one is made.
        """
        return self._stream(
            table.STREAM_CHAT,
            Given(
                body={
                    "message": message,
                    "client_msg_id": client_msg_id,
                    "provider": provider,
                    "model": model,
                    "context": context,
                    "agent_override": agent_override,
                    "temperature": temperature,
                    "max_tokens": max_tokens,
                    "tools": tools,
                    "attachments": attachments,
                    "system": system,
                    "metadata": metadata,
                    "limits": limits,
                    "approval": approval,
                    "busy": busy,
                    "conversation_id": conversation_id,
                },
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )

    def post_chat_voice(
        self,
        *,
        audio: FileInput,
        language: str | None = None,
        transcriber: str | None = None,
        prompt: str | None = None,
        conversation_id: str | None = None,
        client_msg_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        agent_override: str | None = None,
        system: str | None = None,
        approval: Literal["never", "risky", "always"] | None = None,
        speak: bool | None = None,
        synthesizer: str | None = None,
        voice: str | None = None,
        format: Literal["mp3", "wav", "opus", "flac", "aac"] | None = None,
        speed: float | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.SpokenChatResponse:
        """Send a recording as a message, and wait for the complete answer; `stream: true`
        streams it.

        It is answered as `POST /api/chat` answers text; what was said is told beside it. A
        stream is
        not spoken: see `/ws/voice`.

        Args:
            audio: What was said.
            language: What is spoken, as `en` or `pt-BR`; else it is recognised, or English.
            transcriber: `provider` or `provider/model`; see `GET /api/voice`.
            prompt: Words that are likely to be said.
            conversation_id: The conversation to go on with; without it one is made.
            client_msg_id: Makes this message one, however often it is sent.
            provider: The provider of the model that answers.
            model: Which answers.
            agent_override: The agent that answers.
            system: Instructions for this answer.
            approval: Which calls of tools a person decides on; it can only be tightened.
            speak: Whether the answer is spoken, too.
            synthesizer: `provider` or `provider/model`; see `GET /api/voice`.
            voice: In which voice it speaks.
            format: Of the spoken answer; without it mp3 where that can be made, else wav.
            speed: 1 is its usual one.
            progress: Called as the bytes leave.
        """
        found: models.SpokenChatResponse = self._answer(
            table.POST_CHAT_VOICE,
            Given(
                body={
                    "language": language,
                    "transcriber": transcriber,
                    "prompt": prompt,
                    "conversation_id": conversation_id,
                    "client_msg_id": client_msg_id,
                    "provider": provider,
                    "model": model,
                    "agent_override": agent_override,
                    "system": system,
                    "approval": approval,
                    "speak": speak,
                    "synthesizer": synthesizer,
                    "voice": voice,
                    "format": format,
                    "speed": speed,
                },
                files=[("audio", audio)],
                progress=progress,
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )
        return found

    def post_chat_voice_stream(
        self,
        *,
        audio: FileInput,
        language: str | None = None,
        transcriber: str | None = None,
        prompt: str | None = None,
        conversation_id: str | None = None,
        client_msg_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        agent_override: str | None = None,
        system: str | None = None,
        approval: Literal["never", "risky", "always"] | None = None,
        speak: bool | None = None,
        synthesizer: str | None = None,
        voice: str | None = None,
        format: Literal["mp3", "wav", "opus", "flac", "aac"] | None = None,
        speed: float | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ChatStream:
        """The same as `post_chat_voice`, as a stream of events."""
        return self._stream(
            table.POST_CHAT_VOICE_STREAM,
            Given(
                body={
                    "language": language,
                    "transcriber": transcriber,
                    "prompt": prompt,
                    "conversation_id": conversation_id,
                    "client_msg_id": client_msg_id,
                    "provider": provider,
                    "model": model,
                    "agent_override": agent_override,
                    "system": system,
                    "approval": approval,
                    "speak": speak,
                    "synthesizer": synthesizer,
                    "voice": voice,
                    "format": format,
                    "speed": speed,
                    "stream": True,
                },
                files=[("audio", audio)],
                progress=progress,
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )

    def post_code(
        self,
        *,
        task: str,
        language: str | None = None,
        model: str | None = None,
        timeout: float | None = None,
    ) -> models.CodeResponse:
        """Write code for a task. Nothing of it is stored but its usage.

        Args:
            task: What is to be done.
            language: A programming language.
            model: Without it the route `code` answers.
        """
        found: models.CodeResponse = self._answer(
            table.POST_CODE,
            Given(body={"task": task, "language": language, "model": model}, timeout=timeout),
        )
        return found

    def execute_computer_task(
        self,
        *,
        task: str,
        session_id: str | None = None,
        max_steps: int | None = None,
        approval: models.ApprovalPolicy | None = None,
        provider: str | None = None,
        model: str | None = None,
        timeout_s: float | None = None,
        secrets: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.ComputerUseResponse:
        """Let an agent do a task on a desktop; `stream: true` streams what it does.

        The run continues if the client disconnects: see `GET /api/runs/{id}`. Requests with one
        Idempotency-Key are compared but for the values of `secrets`, which are kept nowhere.

        Args:
            task: What is to be done.
            session_id: The desktop to go on with; without it a new one.
            max_steps: After so many the task ends.
            approval: Which actions a person decides on.
            provider: A configured provider; `any` lets the server choose.
            model: A model that sees.
            timeout_s: After so many seconds the task ends.
            secrets: Texts by names. The agent knows the names and can have them typed; they are
                stored nowhere. They are of one line, without control characters.
        """
        found: models.ComputerUseResponse = self._answer(
            table.EXECUTE_COMPUTER_TASK,
            Given(
                body={
                    "task": task,
                    "session_id": session_id,
                    "max_steps": max_steps,
                    "approval": approval,
                    "provider": provider,
                    "model": model,
                    "timeout_s": timeout_s,
                    "secrets": secrets,
                },
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )
        return found

    def execute_computer_task_stream(
        self,
        *,
        task: str,
        session_id: str | None = None,
        max_steps: int | None = None,
        approval: models.ApprovalPolicy | None = None,
        provider: str | None = None,
        model: str | None = None,
        timeout_s: float | None = None,
        secrets: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ChatStream:
        """The same as `execute_computer_task`, as a stream of events."""
        return self._stream(
            table.EXECUTE_COMPUTER_TASK_STREAM,
            Given(
                body={
                    "task": task,
                    "session_id": session_id,
                    "max_steps": max_steps,
                    "approval": approval,
                    "provider": provider,
                    "model": model,
                    "timeout_s": timeout_s,
                    "secrets": secrets,
                    "stream": True,
                },
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )

    def list_conversations(
        self,
        *,
        archived: Literal["true", "false", "any"] | None = None,
        pinned: bool | None = None,
        tag: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> models.ConversationPage:
        """List your conversations: pinned ones first, then by latest change.

        Args:
            archived: Archived ones, the others, or `any`.
            pinned: Whether lists begin with it.
            tag: Only those with this tag.
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.ConversationPage = self._answer(
            table.LIST_CONVERSATIONS,
            Given(
                query={
                    "archived": archived,
                    "pinned": pinned,
                    "tag": tag,
                    "limit": limit,
                    "cursor": cursor,
                },
                timeout=timeout,
            ),
        )
        return found

    def iter_conversations(
        self,
        *,
        archived: Literal["true", "false", "any"] | None = None,
        pinned: bool | None = None,
        tag: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[models.ConversationView]:
        """All that `list_conversations` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.ConversationView] = self._items(
            table.LIST_CONVERSATIONS,
            Given(
                query={"archived": archived, "pinned": pinned, "tag": tag, "limit": limit},
                timeout=timeout,
            ),
        )
        return found

    def create_conversation(
        self,
        *,
        title: str | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        external_id: str | None = None,
        timeout: float | None = None,
    ) -> models.ConversationView:
        """Create an empty conversation.

        Args:
            title: Its title.
            tags: Words to find it by.
            metadata: What was stored with it, or comes along.
            external_id: An id of your own, unique among yours; without `/`, `?` and `#`.
        """
        found: models.ConversationView = self._answer(
            table.CREATE_CONVERSATION,
            Given(
                body={
                    "title": title,
                    "tags": tags,
                    "metadata": metadata,
                    "external_id": external_id,
                },
                timeout=timeout,
            ),
        )
        return found

    def delete_conversation(self, conversation_id: str, *, timeout: float | None = None) -> None:
        """Delete a conversation with its messages, runs and events. Active runs are cancelled."""
        self._answer(table.DELETE_CONVERSATION, Given(path=(conversation_id,), timeout=timeout))

    def get_conversation(
        self, conversation_id: str, *, timeout: float | None = None
    ) -> models.ConversationView:
        """Get one conversation without its messages."""
        found: models.ConversationView = self._answer(
            table.GET_CONVERSATION, Given(path=(conversation_id,), timeout=timeout)
        )
        return found

    def change_conversation(
        self,
        conversation_id: str,
        *,
        title: str | None = None,
        archived: bool | None = None,
        pinned: bool | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> models.ConversationView:
        """Rename, tag, pin or archive a conversation. PUT and PATCH are the same.

        Args:
            title: Its title.
            archived: Whether lists omit it by default.
            pinned: Whether lists begin with it.
            tags: Words to find it by.
            metadata: What was stored with it, or comes along.
        """
        found: models.ConversationView = self._answer(
            table.CHANGE_CONVERSATION,
            Given(
                path=(conversation_id,),
                body={
                    "title": title,
                    "archived": archived,
                    "pinned": pinned,
                    "tags": tags,
                    "metadata": metadata,
                },
                timeout=timeout,
            ),
        )
        return found

    def replace_conversation(
        self,
        conversation_id: str,
        *,
        title: str | None = None,
        archived: bool | None = None,
        pinned: bool | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> models.ConversationView:
        """Rename, tag, pin or archive a conversation. PUT and PATCH are the same.

        Args:
            title: Its title.
            archived: Whether lists omit it by default.
            pinned: Whether lists begin with it.
            tags: Words to find it by.
            metadata: What was stored with it, or comes along.
        """
        found: models.ConversationView = self._answer(
            table.REPLACE_CONVERSATION,
            Given(
                path=(conversation_id,),
                body={
                    "title": title,
                    "archived": archived,
                    "pinned": pinned,
                    "tags": tags,
                    "metadata": metadata,
                },
                timeout=timeout,
            ),
        )
        return found

    def unarchive_conversation(
        self, conversation_id: str, *, timeout: float | None = None
    ) -> models.ConversationView:
        """Unarchive a conversation."""
        found: models.ConversationView = self._answer(
            table.UNARCHIVE_CONVERSATION, Given(path=(conversation_id,), timeout=timeout)
        )
        return found

    def archive_conversation(
        self, conversation_id: str, *, timeout: float | None = None
    ) -> models.ConversationView:
        """Archive a conversation: lists omit it by default."""
        found: models.ConversationView = self._answer(
            table.ARCHIVE_CONVERSATION, Given(path=(conversation_id,), timeout=timeout)
        )
        return found

    def list_branches(
        self, conversation_id: str, *, timeout: float | None = None
    ) -> models.BranchList:
        """The messages that have siblings, by their parents, on whichever branch."""
        found: models.BranchList = self._answer(
            table.LIST_BRANCHES, Given(path=(conversation_id,), timeout=timeout)
        )
        return found

    def export_conversation(
        self,
        conversation_id: str,
        *,
        format: Literal["json", "markdown"] | None = None,
        timeout: float | None = None,
    ) -> Download:
        """Download the current branch as a file.

        Args:
            format: How the file is written.
        """
        return self._download(
            table.EXPORT_CONVERSATION,
            Given(path=(conversation_id,), query={"format": format}, timeout=timeout),
        )

    def fork_conversation(
        self, conversation_id: str, *, message_id: str | None = None, timeout: float | None = None
    ) -> models.ConversationView:
        """Copy the current branch, or the one that ends at a message, into a new conversation.

        Args:
            message_id: Where the copied branch ends; without it the current branch is copied.
        """
        found: models.ConversationView = self._answer(
            table.FORK_CONVERSATION,
            Given(path=(conversation_id,), body={"message_id": message_id}, timeout=timeout),
        )
        return found

    def list_messages(
        self,
        conversation_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> models.MessagePage:
        """List the messages of the current branch, oldest first.

        Args:
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.MessagePage = self._answer(
            table.LIST_MESSAGES,
            Given(
                path=(conversation_id,), query={"limit": limit, "cursor": cursor}, timeout=timeout
            ),
        )
        return found

    def iter_messages(
        self, conversation_id: str, *, limit: int | None = None, timeout: float | None = None
    ) -> Iterator[models.MessageView]:
        """All that `list_messages` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.MessageView] = self._items(
            table.LIST_MESSAGES,
            Given(path=(conversation_id,), query={"limit": limit}, timeout=timeout),
        )
        return found

    def send_message(
        self,
        conversation_id: str,
        *,
        message: str,
        client_msg_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        context: Sequence[models.EarlierMessage] | Mapping[str, Any] | None = None,
        agent_override: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[str] | None = None,
        attachments: Sequence[str] | None = None,
        system: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        limits: models.AnswerLimits | Mapping[str, Any] | None = None,
        approval: models.ApprovalPolicy | None = None,
        busy: models.BusyPolicy | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.ChatResponse:
        """Send a message in this conversation: the same as `POST /api/chat` with its id.

        Args:
            message: What is said.
            client_msg_id: Makes this message one, however often it is sent.
            provider: A configured provider; without it the assistant chooses.
            model: The name of the model.
            context: Earlier messages from elsewhere, oldest first.
            agent_override: The agent that answers.
            temperature: The higher the freer.
            max_tokens: The answer takes no more.
            tools: Names of tools that the answer may use.
            attachments: Ids of files that belong to the message.
            system: Instructions for this answer.
            metadata: What was stored with it, or comes along.
            limits: What the answer may take.
            approval: Which calls of tools a person decides on; it can only be tightened.
            busy: What to do while the conversation's last answer is being written; without it
                the server's setting counts.
        """
        found: models.ChatResponse = self._answer(
            table.SEND_MESSAGE,
            Given(
                path=(conversation_id,),
                body={
                    "message": message,
                    "client_msg_id": client_msg_id,
                    "provider": provider,
                    "model": model,
                    "context": context,
                    "agent_override": agent_override,
                    "temperature": temperature,
                    "max_tokens": max_tokens,
                    "tools": tools,
                    "attachments": attachments,
                    "system": system,
                    "metadata": metadata,
                    "limits": limits,
                    "approval": approval,
                    "busy": busy,
                },
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )
        return found

    def send_message_stream(
        self,
        conversation_id: str,
        *,
        message: str,
        client_msg_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        context: Sequence[models.EarlierMessage] | Mapping[str, Any] | None = None,
        agent_override: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[str] | None = None,
        attachments: Sequence[str] | None = None,
        system: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        limits: models.AnswerLimits | Mapping[str, Any] | None = None,
        approval: models.ApprovalPolicy | None = None,
        busy: models.BusyPolicy | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ChatStream:
        """The same as `send_message`, as a stream of events."""
        return self._stream(
            table.SEND_MESSAGE_STREAM,
            Given(
                path=(conversation_id,),
                body={
                    "message": message,
                    "client_msg_id": client_msg_id,
                    "provider": provider,
                    "model": model,
                    "context": context,
                    "agent_override": agent_override,
                    "temperature": temperature,
                    "max_tokens": max_tokens,
                    "tools": tools,
                    "attachments": attachments,
                    "system": system,
                    "metadata": metadata,
                    "limits": limits,
                    "approval": approval,
                    "busy": busy,
                    "stream": True,
                },
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )

    def delete_message(
        self, conversation_id: str, message_id: str, *, timeout: float | None = None
    ) -> None:
        """Delete a message and all messages that follow it."""
        self._answer(
            table.DELETE_MESSAGE, Given(path=(conversation_id, message_id), timeout=timeout)
        )

    def get_message(
        self, conversation_id: str, message_id: str, *, timeout: float | None = None
    ) -> models.MessageView:
        """Get one message, on any branch."""
        found: models.MessageView = self._answer(
            table.GET_MESSAGE, Given(path=(conversation_id, message_id), timeout=timeout)
        )
        return found

    def edit_message(
        self,
        conversation_id: str,
        message_id: str,
        *,
        content: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.EditMessageAnswer:
        """Edit a message: the new version starts a branch beside the old one.

        A user's message is answered again, as by `POST /api/chat`; an answer is only replaced.
        PUT and PATCH are the same.

        Args:
            content: A user's message holds at most 32000 characters.
        """
        found: models.EditMessageAnswer = self._answer(
            table.EDIT_MESSAGE,
            Given(
                path=(conversation_id, message_id),
                body={"content": content},
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )
        return found

    def edit_message_stream(
        self,
        conversation_id: str,
        message_id: str,
        *,
        content: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ChatStream:
        """The same as `edit_message`, as a stream of events."""
        return self._stream(
            table.EDIT_MESSAGE_STREAM,
            Given(
                path=(conversation_id, message_id),
                body={"content": content, "stream": True},
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )

    def replace_message(
        self,
        conversation_id: str,
        message_id: str,
        *,
        content: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.ReplaceMessageAnswer:
        """Edit a message: the new version starts a branch beside the old one.

        A user's message is answered again, as by `POST /api/chat`; an answer is only replaced.
        PUT and PATCH are the same.

        Args:
            content: A user's message holds at most 32000 characters.
        """
        found: models.ReplaceMessageAnswer = self._answer(
            table.REPLACE_MESSAGE,
            Given(
                path=(conversation_id, message_id),
                body={"content": content},
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )
        return found

    def replace_message_stream(
        self,
        conversation_id: str,
        message_id: str,
        *,
        content: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ChatStream:
        """The same as `replace_message`, as a stream of events."""
        return self._stream(
            table.REPLACE_MESSAGE_STREAM,
            Given(
                path=(conversation_id, message_id),
                body={"content": content, "stream": True},
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )

    def retry_message(
        self,
        conversation_id: str,
        message_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.ChatResponse:
        """Answer a message again: the new answer becomes a sibling of the old one."""
        found: models.ChatResponse = self._answer(
            table.RETRY_MESSAGE,
            Given(
                path=(conversation_id, message_id),
                body={},
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )
        return found

    def retry_message_stream(
        self,
        conversation_id: str,
        message_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ChatStream:
        """The same as `retry_message`, as a stream of events."""
        return self._stream(
            table.RETRY_MESSAGE_STREAM,
            Given(
                path=(conversation_id, message_id),
                body={"stream": True},
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )

    def select_branch(
        self, conversation_id: str, message_id: str, *, timeout: float | None = None
    ) -> models.ConversationView:
        """Make the branch through a message the current one, down to its newest end.

        409 `conversation_busy` while something is being answered there.
        """
        found: models.ConversationView = self._answer(
            table.SELECT_BRANCH, Given(path=(conversation_id, message_id), timeout=timeout)
        )
        return found

    def unpin_conversation(
        self, conversation_id: str, *, timeout: float | None = None
    ) -> models.ConversationView:
        """Unpin a conversation."""
        found: models.ConversationView = self._answer(
            table.UNPIN_CONVERSATION, Given(path=(conversation_id,), timeout=timeout)
        )
        return found

    def pin_conversation(
        self, conversation_id: str, *, timeout: float | None = None
    ) -> models.ConversationView:
        """Pin a conversation to the top of lists."""
        found: models.ConversationView = self._answer(
            table.PIN_CONVERSATION, Given(path=(conversation_id,), timeout=timeout)
        )
        return found

    def list_unfinished_runs(
        self, conversation_id: str, *, timeout: float | None = None
    ) -> models.RunList:
        """The runs of a conversation that have not ended, the one that answers first.

        So a page that was opened anew finds what it should go on reading.
        """
        found: models.RunList = self._answer(
            table.LIST_UNFINISHED_RUNS, Given(path=(conversation_id,), timeout=timeout)
        )
        return found

    def list_credentials(
        self, *, limit: int | None = None, cursor: str | None = None, timeout: float | None = None
    ) -> models.CredentialPage:
        """Your credentials and those of your tenant, the oldest first, with those that have
        ended.

        Args:
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.CredentialPage = self._answer(
            table.LIST_CREDENTIALS, Given(query={"limit": limit, "cursor": cursor}, timeout=timeout)
        )
        return found

    def iter_credentials(
        self, *, limit: int | None = None, timeout: float | None = None
    ) -> Iterator[models.CredentialView]:
        """All that `list_credentials` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.CredentialView] = self._items(
            table.LIST_CREDENTIALS, Given(query={"limit": limit}, timeout=timeout)
        )
        return found

    def exchange_credential(
        self, *, provider: str, key: str, shared: bool | None = None, timeout: float | None = None
    ) -> models.ExchangedCredential:
        """Store a provider's key, for a key of this server that may use that provider only.

        The provider is asked once whether it accepts it. Your own key goes before your tenant's,
        and
        that before the server's. A new one replaces the one before it.

        Args:
            provider: The name of the provider.
            key: The provider's key. It is stored encrypted, and never shown again.
            shared: Whether it pays for all users of your tenant; admins only.
        """
        found: models.ExchangedCredential = self._answer(
            table.EXCHANGE_CREDENTIAL,
            Given(body={"provider": provider, "key": key, "shared": shared}, timeout=timeout),
        )
        return found

    def revoke_credential(
        self, credential_id: str, *, timeout: float | None = None
    ) -> models.CredentialView:
        """End a credential, delete its key, and cut the answers that it pays. Idempotent."""
        found: models.CredentialView = self._answer(
            table.REVOKE_CREDENTIAL, Given(path=(credential_id,), timeout=timeout)
        )
        return found

    def get_credential(
        self, credential_id: str, *, timeout: float | None = None
    ) -> models.CredentialView:
        """One of them."""
        found: models.CredentialView = self._answer(
            table.GET_CREDENTIAL, Given(path=(credential_id,), timeout=timeout)
        )
        return found

    def rotate_credential(
        self,
        credential_id: str,
        *,
        key: str,
        overlap_seconds: float | None = None,
        timeout: float | None = None,
    ) -> models.CredentialView:
        """Replace a credential by another key of the provider, which pays for all new answers.

        Answers that had begun are paid by the old one, for a day if you do not say otherwise.

        Args:
            key: The provider's key. It is stored encrypted, and never shown again.
            overlap_seconds: For how long the old one goes on working.
        """
        found: models.CredentialView = self._answer(
            table.ROTATE_CREDENTIAL,
            Given(
                path=(credential_id,),
                body={"key": key, "overlap_seconds": overlap_seconds},
                timeout=timeout,
            ),
        )
        return found

    def list_desktops(
        self, *, limit: int | None = None, cursor: str | None = None, timeout: float | None = None
    ) -> models.DesktopPage:
        """List your desktops, also those that have ended, the latest first.

        Args:
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.DesktopPage = self._answer(
            table.LIST_DESKTOPS, Given(query={"limit": limit, "cursor": cursor}, timeout=timeout)
        )
        return found

    def iter_desktops(
        self, *, limit: int | None = None, timeout: float | None = None
    ) -> Iterator[models.DesktopView]:
        """All that `list_desktops` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.DesktopView] = self._items(
            table.LIST_DESKTOPS, Given(query={"limit": limit}, timeout=timeout)
        )
        return found

    def create_desktop(
        self, *, conversation_id: str | None = None, timeout: float | None = None
    ) -> models.DesktopView:
        """Start a desktop for a conversation, or for a new one. A conversation has one at a
        time.

        Args:
            conversation_id: The conversation that it is of; without it a new one.
        """
        found: models.DesktopView = self._answer(
            table.CREATE_DESKTOP, Given(body={"conversation_id": conversation_id}, timeout=timeout)
        )
        return found

    def end_desktop(self, desktop_id: str, *, timeout: float | None = None) -> None:
        """End a desktop with all that is open on it, and what agents do there. Its film stays."""
        self._answer(table.END_DESKTOP, Given(path=(desktop_id,), timeout=timeout))

    def get_desktop(self, desktop_id: str, *, timeout: float | None = None) -> models.DesktopView:
        """Get a desktop, and who controls it."""
        found: models.DesktopView = self._answer(
            table.GET_DESKTOP, Given(path=(desktop_id,), timeout=timeout)
        )
        return found

    def control_desktop(
        self,
        desktop_id: str,
        *,
        action: Literal["take", "release"],
        note: str | None = None,
        timeout: float | None = None,
    ) -> models.DesktopView:
        """Take a desktop over, or hand it back.

        Whoever has it is the only one who uses it: actions of agents are refused, and so is what
        they
        want to see. An agent that asked for it goes on when it is handed back.

        Args:
            action: `take` again before the lease is over keeps it.
            note: What the film says of it.
        """
        found: models.DesktopView = self._answer(
            table.CONTROL_DESKTOP,
            Given(path=(desktop_id,), body={"action": action, "note": note}, timeout=timeout),
        )
        return found

    def get_film(self, desktop_id: str, *, timeout: float | None = None) -> Download:
        """Get the film of a desktop as a ZIP file: `film.jsonl`, and the pictures that it names."""
        return self._download(table.GET_FILM, Given(path=(desktop_id,), timeout=timeout))

    def list_frames(
        self,
        desktop_id: str,
        *,
        after: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> models.FilmPage:
        """List what was done on a desktop, in its order.

        Args:
            after: The last frame that was received.
            limit: The most frames.
        """
        found: models.FilmPage = self._answer(
            table.LIST_FRAMES,
            Given(path=(desktop_id,), query={"after": after, "limit": limit}, timeout=timeout),
        )
        return found

    def get_screenshot(self, desktop_id: str, *, timeout: float | None = None) -> Download:
        """Get the screen as it is now."""
        return self._download(table.GET_SCREENSHOT, Given(path=(desktop_id,), timeout=timeout))

    def stop_desktop(self, desktop_id: str, *, timeout: float | None = None) -> models.DesktopView:
        """Cancel what agents do on a desktop: no action is begun any more. The desktop stays."""
        found: models.DesktopView = self._answer(
            table.STOP_DESKTOP, Given(path=(desktop_id,), timeout=timeout)
        )
        return found

    def list_files(
        self,
        *,
        conversation_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> models.FilePage:
        """List your files, or those of a conversation, the latest first.

        Args:
            conversation_id: Only files of this conversation.
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.FilePage = self._answer(
            table.LIST_FILES,
            Given(
                query={"conversation_id": conversation_id, "limit": limit, "cursor": cursor},
                timeout=timeout,
            ),
        )
        return found

    def iter_files(
        self,
        *,
        conversation_id: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[models.FileView]:
        """All that `list_files` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.FileView] = self._items(
            table.LIST_FILES,
            Given(query={"conversation_id": conversation_id, "limit": limit}, timeout=timeout),
        )
        return found

    def delete_file(self, file_id: str, *, timeout: float | None = None) -> None:
        """Delete a file. Messages that it was attached to stay."""
        self._answer(table.DELETE_FILE, Given(path=(file_id,), timeout=timeout))

    def get_file(self, file_id: str, *, timeout: float | None = None) -> models.FileView:
        """Get what is known of a file, and how far it has been read."""
        found: models.FileView = self._answer(
            table.GET_FILE, Given(path=(file_id,), timeout=timeout)
        )
        return found

    def get_file_content(self, file_id: str, *, timeout: float | None = None) -> Download:
        """Get the bytes of a file as they came, or a range of them.

        Audio and video have their type; everything else is sent as a file to keep.
        """
        return self._download(table.GET_FILE_CONTENT, Given(path=(file_id,), timeout=timeout))

    def get_file_image(self, file_id: str, *, timeout: float | None = None) -> Download:
        """Get an image that was uploaded, made anew: as models and pages are shown it."""
        return self._download(table.GET_FILE_IMAGE, Given(path=(file_id,), timeout=timeout))

    def search_github(
        self,
        *,
        q: str,
        type: models.GitHubKind | None = None,
        limit: int | None = None,
        page: int | None = None,
        timeout: float | None = None,
    ) -> models.GitHubSearchResponse:
        """Search GitHub for repositories, code, or issues and pull requests.

        Args:
            q: Words and GitHub's qualifiers, as `language:python stars:>100`.
            type: Which it is.
            limit: At most so many.
            page: From 1.
        """
        found: models.GitHubSearchResponse = self._answer(
            table.SEARCH_GITHUB,
            Given(query={"q": q, "type": type, "limit": limit, "page": page}, timeout=timeout),
        )
        return found

    def post_huggingface_chat(
        self,
        *,
        message: str,
        client_msg_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        context: Sequence[models.EarlierMessage] | Mapping[str, Any] | None = None,
        agent_override: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[str] | None = None,
        attachments: Sequence[str] | None = None,
        system: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        limits: models.AnswerLimits | Mapping[str, Any] | None = None,
        approval: models.ApprovalPolicy | None = None,
        busy: models.BusyPolicy | None = None,
        conversation_id: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.ChatResponse:
        """The same as `POST /api/chat` with `provider: "huggingface"`.

        Args:
            message: What is said.
            client_msg_id: Makes this message one, however often it is sent.
            provider: A configured provider; without it the assistant chooses.
            model: The name of the model.
            context: Earlier messages from elsewhere, oldest first.
            agent_override: The agent that answers.
            temperature: The higher the freer.
            max_tokens: The answer takes no more.
            tools: Names of tools that the answer may use.
            attachments: Ids of files that belong to the message.
            system: Instructions for this answer.
            metadata: What was stored with it, or comes along.
            limits: What the answer may take.
            approval: Which calls of tools a person decides on; it can only be tightened.
            busy: What to do while the conversation's last answer is being written; without it
                the server's setting counts.
            conversation_id: The conversation to continue; without it one is made.
        """
        found: models.ChatResponse = self._answer(
            table.POST_HUGGINGFACE_CHAT,
            Given(
                body={
                    "message": message,
                    "client_msg_id": client_msg_id,
                    "provider": provider,
                    "model": model,
                    "context": context,
                    "agent_override": agent_override,
                    "temperature": temperature,
                    "max_tokens": max_tokens,
                    "tools": tools,
                    "attachments": attachments,
                    "system": system,
                    "metadata": metadata,
                    "limits": limits,
                    "approval": approval,
                    "busy": busy,
                    "conversation_id": conversation_id,
                },
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )
        return found

    def post_huggingface_chat_stream(
        self,
        *,
        message: str,
        client_msg_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        context: Sequence[models.EarlierMessage] | Mapping[str, Any] | None = None,
        agent_override: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[str] | None = None,
        attachments: Sequence[str] | None = None,
        system: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        limits: models.AnswerLimits | Mapping[str, Any] | None = None,
        approval: models.ApprovalPolicy | None = None,
        busy: models.BusyPolicy | None = None,
        conversation_id: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ChatStream:
        """The same as `post_huggingface_chat`, as a stream of events."""
        return self._stream(
            table.POST_HUGGINGFACE_CHAT_STREAM,
            Given(
                body={
                    "message": message,
                    "client_msg_id": client_msg_id,
                    "provider": provider,
                    "model": model,
                    "context": context,
                    "agent_override": agent_override,
                    "temperature": temperature,
                    "max_tokens": max_tokens,
                    "tools": tools,
                    "attachments": attachments,
                    "system": system,
                    "metadata": metadata,
                    "limits": limits,
                    "approval": approval,
                    "busy": busy,
                    "conversation_id": conversation_id,
                    "stream": True,
                },
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )

    def list_keys(
        self, *, limit: int | None = None, cursor: str | None = None, timeout: float | None = None
    ) -> models.KeyPage:
        """Your keys, the oldest first, with those that have ended.

        Args:
            limit: At most so many.
            cursor: `next_cursor` of the page before.
        """
        found: models.KeyPage = self._answer(
            table.LIST_KEYS, Given(query={"limit": limit, "cursor": cursor}, timeout=timeout)
        )
        return found

    def iter_keys(
        self, *, limit: int | None = None, timeout: float | None = None
    ) -> Iterator[models.KeyView]:
        """All that `list_keys` finds, page after page; `limit` is how many a page has."""
        found: Iterator[models.KeyView] = self._items(
            table.LIST_KEYS, Given(query={"limit": limit}, timeout=timeout)
        )
        return found

    def create_key(
        self,
        *,
        name: str,
        scopes: models.ScopesBody | Mapping[str, Any] | None = None,
        expires_at: datetime | None = None,
        timeout: float | None = None,
    ) -> models.IssuedKeyView:
        """Make a key for yourself, which may do no more than the one that asks.

        Args:
            name: Its name.
            scopes: What the key may do.
            expires_at: With a time zone; not after the key that asks.
        """
        found: models.IssuedKeyView = self._answer(
            table.CREATE_KEY,
            Given(body={"name": name, "scopes": scopes, "expires_at": expires_at}, timeout=timeout),
        )
        return found

    def get_key(self, key_id: str, *, timeout: float | None = None) -> models.KeyView:
        """One of your keys."""
        found: models.KeyView = self._answer(table.GET_KEY, Given(path=(key_id,), timeout=timeout))
        return found

    def change_key(
        self,
        key_id: str,
        *,
        name: str | None = None,
        scopes: models.ScopesBody | Mapping[str, Any] | None = None,
        expires_at: datetime | None = None,
        timeout: float | None = None,
    ) -> models.KeyView:
        """Change a key; it counts at once. Streams of a key that may do less now are cut.

        Args:
            name: Its name.
            scopes: What the key may do.
            expires_at: With a time zone; not after the key that asks.
        """
        found: models.KeyView = self._answer(
            table.CHANGE_KEY,
            Given(
                path=(key_id,),
                body={"name": name, "scopes": scopes, "expires_at": expires_at},
                timeout=timeout,
            ),
        )
        return found

    def revoke_key(self, key_id: str, *, timeout: float | None = None) -> models.KeyView:
        """End a key and what streams with it. Idempotent."""
        found: models.KeyView = self._answer(
            table.REVOKE_KEY, Given(path=(key_id,), timeout=timeout)
        )
        return found

    def rotate_key(
        self, key_id: str, *, overlap_seconds: float | None = None, timeout: float | None = None
    ) -> models.IssuedKeyView:
        """Make the successor of a key, with the same scopes; the old one works for a while more.

        Args:
            overlap_seconds: For how long the old one goes on working.
        """
        found: models.IssuedKeyView = self._answer(
            table.ROTATE_KEY,
            Given(path=(key_id,), body={"overlap_seconds": overlap_seconds}, timeout=timeout),
        )
        return found

    def get_me(self, *, timeout: float | None = None) -> models.Me:
        """The user whose key this is, and what the key may do.

        With the key of a provider that is a user without a name, who has nothing but what was
        made with
        the same key.
        """
        found: models.Me = self._answer(table.GET_ME, Given(timeout=timeout))
        return found

    def delete_feedback(self, message_id: str, *, timeout: float | None = None) -> None:
        """Take the feedback on an answer back."""
        self._answer(table.DELETE_FEEDBACK, Given(path=(message_id,), timeout=timeout))

    def get_feedback(self, message_id: str, *, timeout: float | None = None) -> models.FeedbackView:
        """The feedback on an answer; 404 where there is none."""
        found: models.FeedbackView = self._answer(
            table.GET_FEEDBACK, Given(path=(message_id,), timeout=timeout)
        )
        return found

    def give_feedback(
        self,
        message_id: str,
        *,
        score: float,
        comment: str | None = None,
        timeout: float | None = None,
    ) -> models.FeedbackView:
        """Say how good an answer was; what was said before is replaced.

        Args:
            score: The higher, the better, on a scale of your own: 1 and -1, or 1 to 5.
            comment: Why.
        """
        found: models.FeedbackView = self._answer(
            table.GIVE_FEEDBACK,
            Given(path=(message_id,), body={"score": score, "comment": comment}, timeout=timeout),
        )
        return found

    def list_models(self, *, timeout: float | None = None) -> models.ModelList:
        """Models of the configured providers that the key may call, the default first."""
        found: models.ModelList = self._answer(table.LIST_MODELS, Given(timeout=timeout))
        return found

    def list_providers(self, *, timeout: float | None = None) -> models.ProviderList:
        """The configured providers that the key may call."""
        found: models.ProviderList = self._answer(table.LIST_PROVIDERS, Given(timeout=timeout))
        return found

    def check_provider(
        self, name: str, *, full: bool | None = None, timeout: float | None = None
    ) -> models.ProviderCheck:
        """Test the connection: reach the provider and list its models; `full` also calls a
        model.

        A full test costs a few tokens at each endpoint of the provider. The server's credential
        pays
        for it, so that it is for those who administer the server.

        Args:
            full: Also call a model at each endpoint, whole and streamed.
        """
        found: models.ProviderCheck = self._answer(
            table.CHECK_PROVIDER, Given(path=(name,), body={"full": full}, timeout=timeout)
        )
        return found

    def get_run(self, run_id: str, *, timeout: float | None = None) -> models.RunView:
        """Get the status of a run."""
        found: models.RunView = self._answer(table.GET_RUN, Given(path=(run_id,), timeout=timeout))
        return found

    def decide_on_approval(
        self,
        run_id: str,
        approval_id: str,
        *,
        decision: Literal["approve", "deny"],
        arguments_hash: str,
        timeout: float | None = None,
    ) -> models.RunView:
        """Decide on what a tool wants to do; with the last decision the run goes on.

        `arguments_hash` is that of `approval_required`: the decision counts for these arguments
        only.
        The same decision may be sent again.

        Args:
            decision: What the person says.
            arguments_hash: Of the arguments that the person has seen.
        """
        found: models.RunView = self._answer(
            table.DECIDE_ON_APPROVAL,
            Given(
                path=(run_id, approval_id),
                body={"decision": decision, "arguments_hash": arguments_hash},
                timeout=timeout,
            ),
        )
        return found

    def cancel_run(self, run_id: str, *, timeout: float | None = None) -> models.RunView:
        """Cancel a run. The partial answer is kept. Idempotent."""
        found: models.RunView = self._answer(
            table.CANCEL_RUN, Given(path=(run_id,), timeout=timeout)
        )
        return found

    def continue_run(
        self, run_id: str, *, idempotency_key: str | None = None, timeout: float | None = None
    ) -> models.RunView:
        """Continue an answer that ended early, in a new run."""
        found: models.RunView = self._answer(
            table.CONTINUE_RUN,
            Given(path=(run_id,), idempotency_key=idempotency_key, timeout=timeout),
        )
        return found

    def get_run_events(
        self, run_id: str, *, after: int | None = None, timeout: float | None = None
    ) -> ChatStream:
        """Stream a run's events as server-sent events, from the first or after the last received
        one.

        `Last-Event-ID` takes precedence over `after`, because a browser that reconnects repeats
        the
        URL. Responds 204 if the reader has received the last event.

        Args:
            after: The last event that was received.
        """
        return self._stream(
            table.GET_RUN_EVENTS, Given(path=(run_id,), query={"after": after}, timeout=timeout)
        )

    def search_own_data(
        self,
        *,
        q: str | None = None,
        types: str | None = None,
        date_range: models.DateRange | None = None,
        sort_by: models.SortBy | None = None,
        limit: int | None = None,
        offset: int | None = None,
        timeout: float | None = None,
    ) -> models.OwnSearchResponse:
        """Find text in your conversations, messages and files.

        Args:
            q: Words; nothing is an operator.
            types: Kinds separated by commas; all without it.
            date_range: How old what is found may be.
            sort_by: What comes first.
            limit: At most so many.
            offset: How many results to leave out.
        """
        found: models.OwnSearchResponse = self._answer(
            table.SEARCH_OWN_DATA,
            Given(
                query={
                    "q": q,
                    "types": types,
                    "date_range": date_range,
                    "sort_by": sort_by,
                    "limit": limit,
                    "offset": offset,
                },
                timeout=timeout,
            ),
        )
        return found

    def search(
        self,
        *,
        query: str,
        provider: str | None = None,
        max_results: int | None = None,
        topic: models.Topic | None = None,
        time_range: models.TimeRange | None = None,
        include_answer: bool | None = None,
        timeout: float | None = None,
    ) -> models.SearchResponse:
        """Search the web, or with the provider `local` your own conversations and files.

        Args:
            query: What to search for.
            provider: `tavily`, `brave`, `searxng`; `local` searches what is your own.
            max_results: At most so many.
            topic: Engines without it search all pages.
            time_range: How old results may be.
            include_answer: Also a short answer, from providers that give one.
        """
        found: models.SearchResponse = self._answer(
            table.SEARCH,
            Given(
                body={
                    "query": query,
                    "provider": provider,
                    "max_results": max_results,
                    "topic": topic,
                    "time_range": time_range,
                    "include_answer": include_answer,
                },
                timeout=timeout,
            ),
        )
        return found

    def close_session(self, *, timeout: float | None = None) -> None:
        """Sign out: delete the session cookie."""
        self._answer(table.CLOSE_SESSION, Given(timeout=timeout))

    def open_session(
        self, *, code: str | None = None, timeout: float | None = None
    ) -> models.LoginSessionView:
        """Sign a browser in, with an API key in the header or with a sign-in code.

        Args:
            code: From a sign-in link; without it the key in the header counts.
        """
        found: models.LoginSessionView = self._answer(
            table.OPEN_SESSION, Given(body={"code": code}, timeout=timeout)
        )
        return found

    def issue_stream_ticket(self, *, timeout: float | None = None) -> models.StreamTicket:
        """Issue a ticket for one `EventSource`, which cannot set headers.

        It works once, from the origin that requested it, and can resume the stream that it
        started.
        """
        found: models.StreamTicket = self._answer(table.ISSUE_STREAM_TICKET, Given(timeout=timeout))
        return found

    def upload_file(
        self,
        *,
        file: FileInput,
        conversation_id: str | None = None,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> models.FileUploadResponse:
        """Upload one file, in the field `file` of a form. It is read in the background.

        Args:
            file: The file.
            conversation_id: The conversation that the file belongs to.
            progress: Called as the bytes leave.
        """
        found: models.FileUploadResponse = self._answer(
            table.UPLOAD_FILE,
            Given(
                body={"conversation_id": conversation_id},
                files=[("file", file)],
                progress=progress,
                timeout=timeout,
            ),
        )
        return found

    def upload_files(
        self,
        *,
        files: Sequence[FileInput],
        conversation_id: str | None = None,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> models.UploadedFiles:
        """Upload several files, in fields `files` or `files[0]`, `files[1]` and so on: all or
        none.

        Args:
            files: The files.
            conversation_id: The conversation that the file belongs to.
            progress: Called as the bytes leave.
        """
        found: models.UploadedFiles = self._answer(
            table.UPLOAD_FILES,
            Given(
                body={"conversation_id": conversation_id},
                files=[("files", each) for each in files],
                progress=progress,
                timeout=timeout,
            ),
        )
        return found

    def get_usage(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        group_by: models.UsageGrouping | None = None,
        limit: int | None = None,
        provider: str | None = None,
        model: str | None = None,
        surface: str | None = None,
        agent: str | None = None,
        key_id: str | None = None,
        conversation_id: str | None = None,
        timeout: float | None = None,
    ) -> models.UsageReport:
        """What your model calls used and cost, and your budgets for them.

        Args:
            since: With a time zone; without it 30 days ago.
            until: Excluded; without it now.
            group_by: What makes a group.
            limit: At most so many.
            provider: The name of the provider.
            model: With or without its provider.
            surface: The API that it was asked for by.
            agent: The id of the agent.
            key_id: The id of a key.
            conversation_id: The id of the conversation.
        """
        found: models.UsageReport = self._answer(
            table.GET_USAGE,
            Given(
                query={
                    "since": since,
                    "until": until,
                    "group_by": group_by,
                    "limit": limit,
                    "provider": provider,
                    "model": model,
                    "surface": surface,
                    "agent": agent,
                    "key_id": key_id,
                    "conversation_id": conversation_id,
                },
                timeout=timeout,
            ),
        )
        return found

    def get_usage_timeline(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: models.TimelineStep | None = None,
        group_by: models.UsageGrouping | None = None,
        provider: str | None = None,
        model: str | None = None,
        surface: str | None = None,
        agent: str | None = None,
        key_id: str | None = None,
        conversation_id: str | None = None,
        timeout: float | None = None,
    ) -> models.UsageTimeline:
        """What your model calls used and cost over time, and how long they took.

        By hour at most 31 days at once.

        Args:
            since: With a time zone; without it 30 days ago.
            until: Excluded; without it now.
            step: How long one interval is.
            group_by: What makes a group.
            provider: The name of the provider.
            model: With or without its provider.
            surface: The API that it was asked for by.
            agent: The id of the agent.
            key_id: The id of a key.
            conversation_id: The id of the conversation.
        """
        found: models.UsageTimeline = self._answer(
            table.GET_USAGE_TIMELINE,
            Given(
                query={
                    "since": since,
                    "until": until,
                    "step": step,
                    "group_by": group_by,
                    "provider": provider,
                    "model": model,
                    "surface": surface,
                    "agent": agent,
                    "key_id": key_id,
                    "conversation_id": conversation_id,
                },
                timeout=timeout,
            ),
        )
        return found

    def get_voice(self, *, timeout: float | None = None) -> models.VoiceView:
        """What transcribes and what speaks here, the preferred first, and what it needs."""
        found: models.VoiceView = self._answer(table.GET_VOICE, Given(timeout=timeout))
        return found

    def process_voice(
        self,
        *,
        audio: FileInput,
        language: str | None = None,
        transcriber: str | None = None,
        prompt: str | None = None,
        conversation_id: str | None = None,
        client_msg_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        agent_override: str | None = None,
        system: str | None = None,
        approval: Literal["never", "risky", "always"] | None = None,
        speak: bool | None = None,
        synthesizer: str | None = None,
        voice: str | None = None,
        format: Literal["mp3", "wav", "opus", "flac", "aac"] | None = None,
        speed: float | None = None,
        respond: bool | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.VoiceInputResponse:
        """Transcribe speech, and answer it in a conversation; `speak: true` speaks the answer,
        too.

        Silence has an empty transcription, and is not answered. The run continues if the client
        disconnects. An answer that cannot be spoken is told with `speech_error`.

        Args:
            audio: What was said.
            language: What is spoken, as `en` or `pt-BR`; else it is recognised, or English.
            transcriber: `provider` or `provider/model`; see `GET /api/voice`.
            prompt: Words that are likely to be said.
            conversation_id: The conversation to go on with; without it one is made.
            client_msg_id: Makes this message one, however often it is sent.
            provider: The provider of the model that answers.
            model: Which answers.
            agent_override: The agent that answers.
            system: Instructions for this answer.
            approval: Which calls of tools a person decides on; it can only be tightened.
            speak: Whether the answer is spoken, too.
            synthesizer: `provider` or `provider/model`; see `GET /api/voice`.
            voice: In which voice it speaks.
            format: Of the spoken answer; without it mp3 where that can be made, else wav.
            speed: 1 is its usual one.
            respond: Whether what was said is answered.
            progress: Called as the bytes leave.
        """
        found: models.VoiceInputResponse = self._answer(
            table.PROCESS_VOICE,
            Given(
                body={
                    "language": language,
                    "transcriber": transcriber,
                    "prompt": prompt,
                    "conversation_id": conversation_id,
                    "client_msg_id": client_msg_id,
                    "provider": provider,
                    "model": model,
                    "agent_override": agent_override,
                    "system": system,
                    "approval": approval,
                    "speak": speak,
                    "synthesizer": synthesizer,
                    "voice": voice,
                    "format": format,
                    "speed": speed,
                    "respond": respond,
                },
                files=[("audio", audio)],
                progress=progress,
                idempotency_key=idempotency_key,
                timeout=timeout,
            ),
        )
        return found

    def speak(
        self,
        *,
        text: str,
        voice: str | None = None,
        format: Literal["mp3", "wav", "opus", "pcm", "flac", "aac"] | None = None,
        speed: float | None = None,
        synthesizer: str | None = None,
        timeout: float | None = None,
    ) -> Download:
        """Speak a text: the audio is sent as it is made. An error after its beginning cuts it.

        Args:
            text: Plain text.
            voice: In which voice it speaks.
            format: Without it mp3 where that can be made, else wav.
            speed: 1 is its usual one.
            synthesizer: `provider` or `provider/model`; see `GET /api/voice`.
        """
        return self._download(
            table.SPEAK,
            Given(
                body={
                    "text": text,
                    "voice": voice,
                    "format": format,
                    "speed": speed,
                    "synthesizer": synthesizer,
                },
                timeout=timeout,
            ),
        )

    def transcribe(
        self,
        *,
        audio: FileInput,
        language: str | None = None,
        transcriber: str | None = None,
        prompt: str | None = None,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> models.TranscriptionResponse:
        """Transcribe a recording, in the field `audio` of a form. Nothing of it is stored.

        Args:
            audio: What was said.
            language: What is spoken, as `en` or `pt-BR`; else it is recognised, or English.
            transcriber: `provider` or `provider/model`; see `GET /api/voice`.
            prompt: Words that are likely to be said.
            progress: Called as the bytes leave.
        """
        found: models.TranscriptionResponse = self._answer(
            table.TRANSCRIBE,
            Given(
                body={"language": language, "transcriber": transcriber, "prompt": prompt},
                files=[("audio", audio)],
                progress=progress,
                timeout=timeout,
            ),
        )
        return found

    def get_health(self, *, timeout: float | None = None) -> models.Health:
        """Liveness. Checks no other part, so that an outage elsewhere does not restart the
        server.
        """
        found: models.Health = self._answer(table.GET_HEALTH, Given(timeout=timeout))
        return found

    def get_ready(self, *, timeout: float | None = None) -> models.Readiness:
        """Readiness: 200 or 503. With a credential it reports each part."""
        found: models.Readiness = self._answer(table.GET_READY, Given(timeout=timeout))
        return found
