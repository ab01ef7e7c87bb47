"""The one table of whom each route answers, and of every field in which it takes somebody's id.

`tests/laws/test_owner_rules.py` compares it with the routes and with openapi.json: a route, or a
field that could hold an id, which has no rule here fails the build.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec
from tests.harness.fake_provider.openai_audio import sounds
from tests.harness.fixtures import PROVIDER_KEY

RECORDING = ("pyrope.wav", sounds.wav(sounds.tone(0.5)))
"""Half a second of a tone."""


class Access(StrEnum):
    """Whom a route answers."""

    EVERYBODY = "everybody"
    SIGN_IN = "sign in"
    CALLERS = "callers"
    ADMINS = "admins"
    OPERATORS = "operators"
    """The admins of the tenant `local`."""


class Kind(StrEnum):
    """Kinds of things that are somebody's."""

    CONVERSATION = "conversation"
    MESSAGE = "message"
    RUN = "run"
    RESPONSE = "response"
    ITEM = "item"
    KEY = "key"
    USER = "user"
    TENANT = "tenant"
    CREDENTIAL = "credential"
    APPROVAL = "approval"
    FILE = "file"
    DESKTOP = "desktop"


MANAGED = frozenset({Kind.KEY, Kind.USER, Kind.TENANT})
"""What the admins of its owner's tenant see and change as well."""


class Field(msgspec.Struct, frozen=True):
    """One field beside the path that takes an id: `ID` in it stands for that."""

    kind: Kind
    body: Mapping[str, Any] = {}
    query: str = ""
    headers: Mapping[str, str] = {}
    refused: int = 404
    """The status for an id that is not the caller's."""
    exact: bool = False
    """Whether other spellings of an id are none of ours, but a vendor's."""


class Rule(msgspec.Struct, frozen=True):
    """How one route is asked, and what it answers of whose."""

    access: Access = Access.CALLERS
    body: Mapping[str, Any] | None = None
    query: str = ""
    fields: tuple[Field, ...] = ()
    upload: str = ""
    """The field of a form in which it takes a file; its body is the form's other fields."""
    file: tuple[str, bytes] = ("pyrope.txt", b"pyrope")
    """That file: its name and its content."""
    off: str = ""
    """The code of its error on a server that has not switched on what it is for, as these."""


class FrameRule(msgspec.Struct, frozen=True):
    """How one frame of a WebSocket is sent, and what it tells of things that are not there."""

    fields: Mapping[str, Any] = {}
    ids: Mapping[str, Kind] = {}
    """The fields that take ids."""
    missing: str | None = None
    """The code for an id that is not the caller's; None for a frame that is not answered."""


PATH_KINDS = {
    "conversation_id": Kind.CONVERSATION,
    "message_id": Kind.MESSAGE,
    "run_id": Kind.RUN,
    "item_id": Kind.ITEM,
    "response_id": Kind.RESPONSE,
    "key_id": Kind.KEY,
    "user_id": Kind.USER,
    "tenant_id": Kind.TENANT,
    "credential_id": Kind.CREDENTIAL,
    "approval_id": Kind.APPROVAL,
    "file_id": Kind.FILE,
    "desktop_id": Kind.DESKTOP,
}
SHARED = frozenset({"agent_id", "asset_name", "model_id", "name"})
"""Parameters of paths that name what belongs to nobody."""
NO_IDS = {
    "client_msg_id": "is looked up among the caller's own only: test_own_data.py",
    "Idempotency-Key": "is looked up among the caller's own only: test_own_data.py",
    "cursor": "is a position in the caller's own list: test_own_data.py",
    "external_id": "is a name among the caller's own only: test_own_data.py",
    "get_run_events.after": "is a number",
    "list_frames.after": "is a number",
    "create_tenant.id": "is the name of something new",
    "create_user.id": "is the name of something new",
    "after_id": "names a model",
    "before_id": "names a model",
    "ticket": "is a credential",
    "starting_after": "is a number",
    "ResumeFrame.after": "is a number",
    "VoiceResumeFrame.after": "is a number",
    "ApproveFrame.approval_id": "is looked up in the run, which must be the caller's",
    "AuthFrame.api_key": "is a credential",
    "expires_after[anchor]": "names a time",
    "expires_after[seconds]": "is a number",
}
"""Fields that look like ids and are none of somebody's things, and why."""

_FILE = Field(Kind.FILE, body={"attachments": ["ID"]})
_TEXT = {"message": "Mine now?", "provider": "openai", "model": "fake"}
_TURNS = {"model": "openai/fake", "messages": [{"role": "user", "content": "Mine now?"}]}
_RESPONSE = {"model": "openai/fake", "input": "Mine now?"}
_CURSOR = Field(Kind.RUN, headers={"Last-Event-ID": "ID.1"})
_CONVERSATION = Field(Kind.CONVERSATION, body={"conversation_id": "ID"})
_REFERENCE = [{"type": "item_reference", "id": "ID"}]
_PATCH = Rule(body={"title": "Mine now"})
_EDIT = Rule(body={"content": "Mine now"})
_OF_USER = Field(Kind.USER, query="owner_id=ID", refused=200)  # an empty list
_OF_CALLS = (  # reports of nothing
    Field(Kind.CONVERSATION, query="conversation_id=ID", refused=200),
    Field(Kind.KEY, query="key_id=ID", refused=200),
)
_OF_TENANT = Field(Kind.TENANT, query="tenant_id=ID")
_FOR_USER = Field(Kind.USER, body={"owner_id": "ID"})
_FOR_TENANT = Field(Kind.TENANT, body={"id": "new-one", "tenant_id": "ID"})
_NAME = {"name": "Mine now"}
_EVERYBODY = Rule(Access.EVERYBODY)
_PLAIN = Rule()

_CHAT_FILE = {"type": "file", "file": {"file_id": "ID"}}
_INPUT_FILE = {"type": "input_file", "file_id": "ID"}
_DOCUMENT = {"type": "document", "source": {"type": "file", "file_id": "ID"}}


def _turn(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A message of a user that holds this part."""
    return [{"role": "user", "content": [part]}]


def _named(**body: Any) -> Field:
    """A file that a body of a vendor's API names."""
    return Field(Kind.FILE, body=body, exact=True)


def _rpc(kind: Kind, method: str, params: Mapping[str, Any]) -> Field:
    """A field in the parameters of a call of JSON-RPC, whose errors have the status 200."""
    return Field(kind, body={"method": method, "params": params}, refused=200)


def _sent(**fields: Any) -> Mapping[str, Any]:
    """The parameters that send a message of A2A."""
    said = [{"text": "Mine now?"}]
    return {"message": {"messageId": "m", "role": "ROLE_USER", "parts": said, **fields}}


_A2A = Rule(
    body={"jsonrpc": "2.0", "id": 1, "method": "ListTasks"},
    fields=(
        _rpc(Kind.CONVERSATION, "SendMessage", _sent(contextId="ID")),
        _rpc(Kind.RUN, "SendMessage", _sent(taskId="ID")),
        _rpc(Kind.RUN, "GetTask", {"id": "ID"}),
        _rpc(Kind.RUN, "CancelTask", {"id": "ID"}),
        _rpc(Kind.RUN, "SubscribeToTask", {"id": "ID"}),
    ),
)

RULES: dict[str, Rule] = {
    "get_page": _EVERYBODY,
    "get_asset": _EVERYBODY,
    "get_agent_card": _EVERYBODY,
    "get_card_of_agent": _EVERYBODY,
    "post_a2a": _A2A,
    "post_a2a_to_agent": _A2A,
    "post_mcp": Rule(
        body={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        fields=(
            _rpc(
                Kind.CONVERSATION,
                "tools/call",
                {"name": "writer", "arguments": {"message": "Mine now?", "conversation_id": "ID"}},
            ),
        ),
    ),
    "get_health": _EVERYBODY,
    "get_ready": _EVERYBODY,
    "open_session": Rule(Access.SIGN_IN, body={}),
    "close_session": _PLAIN,
    "issue_stream_ticket": _PLAIN,
    "get_openapi": _PLAIN,
    "get_docs": _PLAIN,
    "get_metrics": Rule(Access.OPERATORS),
    "get_agents": _PLAIN,
    "get_agent": _PLAIN,
    "list_models": _PLAIN,
    "list_providers": _PLAIN,
    "check_provider": Rule(Access.OPERATORS, body={}),
    "list_v1_models": _PLAIN,
    "get_v1_model": _PLAIN,
    "get_usage": Rule(fields=_OF_CALLS),
    "get_usage_timeline": Rule(fields=_OF_CALLS),
    "search_own_data": Rule(query="q=WORD"),
    "search": Rule(body={"query": "WORD", "provider": "local"}),
    "search_github": Rule(query="q=moss"),
    "post_code": Rule(body={"task": "x"}),
    "execute_computer_task": Rule(
        body={"task": "x"},
        fields=(Field(Kind.DESKTOP, body={"session_id": "ID"}),),
        off="desktop_disabled",
    ),
    "create_desktop": Rule(body={}, fields=(_CONVERSATION,), off="desktop_disabled"),
    "list_desktops": _PLAIN,
    "get_desktop": _PLAIN,
    "end_desktop": _PLAIN,
    "stop_desktop": _PLAIN,
    "control_desktop": Rule(body={"action": "take"}),
    "get_screenshot": _PLAIN,
    "list_frames": _PLAIN,
    "get_film": _PLAIN,
    "get_voice": _PLAIN,
    "transcribe": Rule(upload="audio", file=RECORDING),
    "speak": Rule(body={"text": "x"}),
    "process_voice": Rule(upload="audio", file=RECORDING, fields=(_CONVERSATION,)),
    "post_chat_voice": Rule(upload="audio", file=RECORDING, fields=(_CONVERSATION,)),
    "post_chat": Rule(body=_TEXT, fields=(_CONVERSATION, _FILE)),
    "post_huggingface_chat": Rule(
        body={"message": "x", "model": "fake"}, fields=(_CONVERSATION, _FILE)
    ),
    "stream_chat": Rule(body=_TEXT, fields=(_CONVERSATION, _CURSOR, _FILE)),
    "stream_chat_from_query": Rule(
        query="message=x&provider=openai&model=fake",
        fields=(
            _CURSOR,
            Field(Kind.CONVERSATION, query="conversation_id=ID"),
            Field(Kind.CONVERSATION, query="conversationId=ID"),
            Field(Kind.FILE, query="attachments=ID"),
        ),
    ),
    "list_conversations": _PLAIN,
    "create_conversation": Rule(body={}),
    "get_conversation": _PLAIN,
    "change_conversation": _PATCH,
    "replace_conversation": _PATCH,
    "delete_conversation": _PLAIN,
    "archive_conversation": _PLAIN,
    "unarchive_conversation": _PLAIN,
    "pin_conversation": _PLAIN,
    "unpin_conversation": _PLAIN,
    "export_conversation": _PLAIN,
    "fork_conversation": Rule(body={}, fields=(Field(Kind.MESSAGE, body={"message_id": "ID"}),)),
    "list_messages": _PLAIN,
    "send_message": Rule(body=_TEXT, fields=(_FILE,)),
    "get_message": _PLAIN,
    "edit_message": _EDIT,
    "replace_message": _EDIT,
    "delete_message": _PLAIN,
    "retry_message": Rule(body={}),
    "list_unfinished_runs": _PLAIN,
    "list_branches": _PLAIN,
    "give_feedback": Rule(body={"score": 1}),
    "get_feedback": _PLAIN,
    "delete_feedback": _PLAIN,
    "select_branch": _PLAIN,
    "get_run": _PLAIN,
    "get_run_events": Rule(fields=(_CURSOR,)),
    "cancel_run": _PLAIN,
    "continue_run": _PLAIN,
    "decide_on_approval": Rule(body={"decision": "approve", "arguments_hash": "x"}),
    "create_chat_completion": Rule(
        body=_TURNS,
        fields=(
            _CONVERSATION,
            _named(messages=_turn(_CHAT_FILE)),
            _named(messages=_turn(_CHAT_FILE), store=True),
        ),
    ),
    "create_anthropic_message": Rule(
        body={**_TURNS, "max_tokens": 9},
        fields=(
            _CONVERSATION,
            _named(messages=_turn(_DOCUMENT)),
            _named(messages=_turn(_DOCUMENT), store=True),
        ),
    ),
    "count_anthropic_tokens": Rule(body=_TURNS),
    "create_v1_transcription": Rule(
        upload="file", file=RECORDING, body={"model": "openai/whisper-1"}
    ),
    "create_v1_translation": Rule(
        upload="file", file=RECORDING, body={"model": "openai/whisper-1"}
    ),
    "create_v1_speech": Rule(body={"model": "openai/tts-1", "input": "x", "voice": "alloy"}),
    "create_embedding": Rule(body={"model": "openai/fake", "input": "x"}),
    "create_response": Rule(
        body=_RESPONSE,
        fields=(
            _CONVERSATION,
            Field(Kind.CONVERSATION, body={"conversation": "ID"}),
            Field(Kind.CONVERSATION, body={"conversation": {"id": "ID"}}),
            Field(Kind.RESPONSE, body={"previous_response_id": "ID"}, refused=400),
            Field(Kind.RESPONSE, body={"previous_response_id": "ID", "store": False}, refused=400),
            Field(Kind.ITEM, body={"input": _REFERENCE}),
            Field(Kind.ITEM, body={"input": _REFERENCE, "store": False}),
            _named(input=_turn(_INPUT_FILE)),
            _named(input=_turn(_INPUT_FILE), store=False),
        ),
    ),
    "get_me": _PLAIN,
    "list_keys": _PLAIN,
    "create_key": Rule(body={"name": "pyrope"}),
    "get_key": _PLAIN,
    "change_key": Rule(body=_NAME),
    "rotate_key": Rule(body={}),
    "revoke_key": _PLAIN,
    "exchange_credential": Rule(body={"provider": "openai", "key": PROVIDER_KEY}),
    "list_credentials": _PLAIN,
    "get_credential": _PLAIN,
    "rotate_credential": Rule(body={"key": PROVIDER_KEY}),
    "revoke_credential": _PLAIN,
    "list_all_keys": Rule(Access.ADMINS, fields=(_OF_USER, _OF_TENANT)),
    "create_key_of_user": Rule(Access.ADMINS, body={**_NAME, "owner_id": "?"}, fields=(_FOR_USER,)),
    "get_any_key": Rule(Access.ADMINS),
    "change_any_key": Rule(Access.ADMINS, body=_NAME),
    "rotate_any_key": Rule(Access.ADMINS, body={}),
    "revoke_any_key": Rule(Access.ADMINS),
    "list_users": Rule(Access.ADMINS, fields=(_OF_TENANT,)),
    "create_user": Rule(Access.ADMINS, body={"id": "x", "tenant_id": "?"}, fields=(_FOR_TENANT,)),
    "get_user": Rule(Access.ADMINS),
    "change_user": Rule(Access.ADMINS, body=_NAME),
    "list_tenants": Rule(Access.ADMINS),
    "get_key_budgets": Rule(Access.ADMINS),
    "get_user_budgets": Rule(Access.ADMINS),
    "get_tenant_budgets": Rule(Access.ADMINS),
    "replace_key_budgets": Rule(Access.ADMINS, body={}),
    "replace_user_budgets": Rule(Access.ADMINS, body={}),
    "replace_tenant_budgets": Rule(Access.OPERATORS, body={}),
    "create_tenant": Rule(Access.OPERATORS, body={"id": "pyrope"}),
    "get_tenant": Rule(Access.ADMINS),
    "change_tenant": Rule(Access.ADMINS, body=_NAME),
    "list_audit_log": Rule(Access.ADMINS),
    "get_analytics": Rule(Access.ADMINS, fields=(_OF_TENANT,)),
    "upload_file": Rule(upload="file", fields=(_CONVERSATION,)),
    "upload_files": Rule(upload="files", fields=(_CONVERSATION,)),
    "list_files": Rule(fields=(Field(Kind.CONVERSATION, query="conversation_id=ID"),)),
    "get_file": _PLAIN,
    "get_file_content": _PLAIN,
    "get_file_image": _PLAIN,
    "delete_file": _PLAIN,
    "create_v1_file": Rule(upload="file", body={"purpose": "user_data"}),
    "list_v1_files": Rule(fields=(Field(Kind.FILE, query="after=ID", refused=400),)),
    "get_v1_file": _PLAIN,
    "get_v1_file_content": _PLAIN,
    "delete_v1_file": _PLAIN,
    "get_response": _PLAIN,
    "delete_response": _PLAIN,
    "cancel_response": _PLAIN,
    "list_response_input_items": Rule(fields=(Field(Kind.ITEM, query="after=ID", refused=400),)),
    "create_v1_conversation": Rule(
        body={}, fields=(Field(Kind.ITEM, body={"items": _REFERENCE}, refused=400),)
    ),
    "get_v1_conversation": _PLAIN,
    "change_v1_conversation": Rule(body={"metadata": {"word": "mine"}}),
    "delete_v1_conversation": _PLAIN,
    "list_v1_conversation_items": Rule(fields=(Field(Kind.ITEM, query="after=ID", refused=400),)),
    "add_v1_conversation_items": Rule(
        body={"items": [{"role": "user", "content": "Mine now?"}]},
        fields=(Field(Kind.ITEM, body={"items": _REFERENCE}, refused=400),),
    ),
    "get_v1_conversation_item": _PLAIN,
    "delete_v1_conversation_item": _PLAIN,
}
OLDER_FRONTENDS_RULES: dict[str, Rule] = {
    "get_account": _PLAIN,
    "get_settings": _PLAIN,
    "change_settings": Rule(body={"theme": "dark"}),
}
"""The routes that are there for older frontends only, where these are served."""

_OF_RUN = FrameRule(ids={"run_id": Kind.RUN}, missing="run_not_found")
FRAME_RULES: dict[str, FrameRule] = {
    "AuthFrame": FrameRule({"api_key": "ck_unknown"}),
    "ChatFrame": FrameRule(
        _TEXT, ids={"conversation_id": Kind.CONVERSATION}, missing="conversation_not_found"
    ),
    "ResumeFrame": _OF_RUN,
    "CancelFrame": _OF_RUN,
    "ApproveFrame": FrameRule(
        {"decision": "approve", "arguments_hash": "x", "approval_id": "appr_x"},
        ids={"run_id": Kind.RUN},
        missing="run_not_found",
    ),
    "AckFrame": FrameRule({"seq": 1}, ids={"run_id": Kind.RUN}),
    "PingFrame": FrameRule(),
    "StartFrame": FrameRule(
        {"sample_rate": 16_000},
        ids={"conversation_id": Kind.CONVERSATION},
        missing="conversation_not_found",
    ),
    "EndTurnFrame": FrameRule(),
    "StopSpeakingFrame": FrameRule(),
    "StopFrame": FrameRule(),
    "VoiceResumeFrame": _OF_RUN,
}
"""The frames that clients send, by their names in asyncapi.json."""
