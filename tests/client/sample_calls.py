"""How each operation is called in the proof of parity: a new operation needs a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.client.world import World
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.utterances import utterances


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a method is given: parameters of the path, and keywords."""

    path: tuple[str, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict[str, Any])


def _given(*path: str, **named: Any) -> Arguments:
    return Arguments(path, named)


SPOKEN = utterances((0.1, 1.0))
NO_DESKTOP = f"desktop_{'0' * 32}"
WITHOUT_DESKTOPS: Mapping[str, str] = {
    "create_desktop": "desktop_disabled",
    "execute_computer_task": "desktop_disabled",
    **dict.fromkeys(
        (
            "get_desktop",
            "end_desktop",
            "stop_desktop",
            "control_desktop",
            "get_screenshot",
            "list_frames",
            "get_film",
        ),
        "desktop_not_found",
    ),
}
"""The code with which a server that has no desktops refuses a call; `list_desktops` is empty."""
_BUDGET = {"tokens": 1_000_000_000}


def _decision(world: World) -> Arguments:
    waiting = world.waiting()
    asked = waiting.approval
    return _given(
        waiting.run_id,
        asked.approval_id,
        decision="approve",
        arguments_hash=asked.arguments_hash,
    )


CALLS: Mapping[str, Callable[[World], Arguments]] = {
    "list_audit_log": lambda _: _given(limit=1),
    "get_analytics": lambda _: _given(step="week"),
    "list_all_keys": lambda world: _given(limit=2, owner_id=(world.key(), "local")[1]),
    "create_key_of_user": lambda world: _given(name=world.name(), owner_id="local"),
    "get_any_key": lambda world: _given(world.key()),
    "change_any_key": lambda world: _given(world.key(), name="renamed"),
    "get_key_budgets": lambda world: _given(world.key()),
    "replace_key_budgets": lambda world: _given(world.key(), day=_BUDGET),
    "revoke_any_key": lambda world: _given(world.key()),
    "rotate_any_key": lambda world: _given(world.key(), overlap_seconds=1.0),
    "list_tenants": lambda _: _given(limit=1),
    "create_tenant": lambda world: _given(id=world.name()),
    "get_tenant": lambda world: _given(world.tenant()),
    "change_tenant": lambda world: _given(world.tenant(), name="renamed"),
    "get_tenant_budgets": lambda world: _given(world.tenant()),
    "replace_tenant_budgets": lambda world: _given(world.tenant(), month=_BUDGET),
    "list_users": lambda _: _given(limit=1),
    "create_user": lambda world: _given(id=world.name(), tenant_id="local"),
    "get_user": lambda world: _given(world.user()),
    "change_user": lambda world: _given(world.user(), name="renamed"),
    "get_user_budgets": lambda world: _given(world.user()),
    "replace_user_budgets": lambda world: _given(world.user(), day=_BUDGET),
    "get_agents": lambda _: _given(),
    "get_agent": lambda _: _given("supervisor"),
    "post_chat": lambda world: _given(message="Hello.", conversation_id=world.conversation()),
    "stream_chat": lambda _: _given(message="Hello.", metadata={"a": [1, None]}, tools=[]),
    "post_code": lambda _: _given(task="Add two numbers.", language="python"),
    "execute_computer_task": lambda _: _given(task="Open a window."),
    "list_desktops": lambda _: _given(limit=1),
    "create_desktop": lambda _: _given(),
    "get_desktop": lambda _: _given(NO_DESKTOP),
    "end_desktop": lambda _: _given(NO_DESKTOP),
    "stop_desktop": lambda _: _given(NO_DESKTOP),
    "control_desktop": lambda _: _given(NO_DESKTOP, action="take"),
    "get_screenshot": lambda _: _given(NO_DESKTOP),
    "list_frames": lambda _: _given(NO_DESKTOP),
    "get_film": lambda _: _given(NO_DESKTOP),
    "list_conversations": lambda _: _given(limit=1, archived="any"),
    "create_conversation": lambda world: _given(title="Tea", external_id=world.name()),
    "delete_conversation": lambda world: _given(world.conversation()),
    "get_conversation": lambda world: _given(world.conversation()),
    "change_conversation": lambda world: _given(world.conversation(), tags=["kitchen"]),
    "replace_conversation": lambda world: _given(world.conversation(), title="Tea"),
    "unarchive_conversation": lambda world: _given(world.conversation()),
    "archive_conversation": lambda world: _given(world.conversation()),
    "give_feedback": lambda world: _given(world.answer().message_id, score=1, comment="Good."),
    "get_feedback": lambda world: _given(world.judged_answer()),
    "delete_feedback": lambda world: _given(world.judged_answer()),
    "list_branches": lambda world: _given(world.conversation()),
    "export_conversation": lambda world: _given(world.conversation(), format="markdown"),
    "fork_conversation": lambda world: _given(world.conversation()),
    "list_messages": lambda world: _given(world.conversation(), limit=1),
    "send_message": lambda world: _given(world.conversation(), message="And now?"),
    "delete_message": lambda world: _given(*world.question()),
    "get_message": lambda world: _given(*world.question()),
    "edit_message": lambda world: _given(*world.question(), content="Other words."),
    "replace_message": lambda world: _given(*world.question(), content="Other words."),
    "retry_message": lambda world: _given(*world.question()),
    "select_branch": lambda world: _given(*world.question()),
    "unpin_conversation": lambda world: _given(world.conversation()),
    "pin_conversation": lambda world: _given(world.conversation()),
    "list_unfinished_runs": lambda world: _given(world.conversation()),
    "list_credentials": lambda world: _given(limit=(world.credential(), 1)[1]),
    "exchange_credential": lambda _: _given(provider="openai", key=PROVIDER_KEY),
    "revoke_credential": lambda world: _given(world.credential()),
    "get_credential": lambda world: _given(world.credential()),
    "rotate_credential": lambda world: _given(world.credential(), key=PROVIDER_KEY),
    "list_files": lambda world: _given(limit=(world.file(), 1)[1]),
    "delete_file": lambda world: _given(world.file()),
    "get_file": lambda world: _given(world.file()),
    "get_file_content": lambda world: _given(world.file()),
    "get_file_image": lambda world: _given(world.image()),
    "search_github": lambda _: _given(q="heliotrope", limit=1),
    "post_huggingface_chat": lambda _: _given(message="Hello."),
    "list_keys": lambda world: _given(limit=(world.key(), 1)[1]),
    "create_key": lambda world: _given(name=world.name(), scopes={"operations": ["chat"]}),
    "get_key": lambda world: _given(world.key()),
    "change_key": lambda world: _given(world.key(), name="renamed"),
    "revoke_key": lambda world: _given(world.key()),
    "rotate_key": lambda world: _given(world.key()),
    "get_me": lambda _: _given(),
    "list_models": lambda _: _given(),
    "list_providers": lambda _: _given(),
    "check_provider": lambda _: _given("offline", full=False),
    "get_run": lambda world: _given(world.run()),
    "decide_on_approval": _decision,
    "cancel_run": lambda world: _given(world.slow_run()),
    "continue_run": lambda world: _given(world.broken_run()),
    "get_run_events": lambda world: _given(world.run(), after=2),
    "search_own_data": lambda _: _given(q="hello", types="message", limit=1),
    "search": lambda _: _given(query="heliotrope", provider="tavily", max_results=1),
    "close_session": lambda _: _given(),
    "open_session": lambda _: _given(),
    "issue_stream_ticket": lambda _: _given(),
    "upload_file": lambda world: _given(
        file=("a.txt", b"Hello."), conversation_id=world.conversation()
    ),
    "upload_files": lambda _: _given(files=[("a.txt", b"Hello."), ("b.txt", b"Goodbye.")]),
    "get_usage": lambda _: _given(group_by="day"),
    "get_usage_timeline": lambda _: _given(group_by="model"),
    "post_chat_voice": lambda world: _given(
        audio=("a.wav", SPOKEN), conversation_id=world.conversation()
    ),
    "get_voice": lambda _: _given(),
    "process_voice": lambda _: _given(audio=("a.wav", SPOKEN), speak=True, format="wav"),
    "speak": lambda _: _given(text="Moss grows on stones."),
    "transcribe": lambda _: _given(audio=("a.wav", SPOKEN), language="en"),
    "get_health": lambda _: _given(),
    "get_ready": lambda _: _given(),
}
