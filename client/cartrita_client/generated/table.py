# Generated from the contract by `cartrita contract`: do not edit.
"""The operations of the API."""

from __future__ import annotations

from cartrita_client.operations import Operation

GET_ANALYTICS = Operation("get_analytics", "GET", "/api/admin/analytics", answer="AnalyticsReport")

LIST_AUDIT_LOG = Operation("list_audit_log", "GET", "/api/admin/audit", answer="AuditEntryPage")

LIST_ALL_KEYS = Operation("list_all_keys", "GET", "/api/admin/keys", answer="KeyPage")

CREATE_KEY_OF_USER = Operation(
    "create_key_of_user", "POST", "/api/admin/keys", answer="IssuedKeyView", repetition="unsafe"
)

GET_ANY_KEY = Operation("get_any_key", "GET", "/api/admin/keys/{key_id}", answer="KeyView")

CHANGE_ANY_KEY = Operation("change_any_key", "PATCH", "/api/admin/keys/{key_id}", answer="KeyView")

GET_KEY_BUDGETS = Operation(
    "get_key_budgets", "GET", "/api/admin/keys/{key_id}/budgets", answer="BudgetList"
)

REPLACE_KEY_BUDGETS = Operation(
    "replace_key_budgets", "PUT", "/api/admin/keys/{key_id}/budgets", answer="BudgetList"
)

REVOKE_ANY_KEY = Operation(
    "revoke_any_key", "POST", "/api/admin/keys/{key_id}/revoke", answer="KeyView"
)

ROTATE_ANY_KEY = Operation(
    "rotate_any_key",
    "POST",
    "/api/admin/keys/{key_id}/rotate",
    answer="IssuedKeyView",
    repetition="unsafe",
)

LIST_TENANTS = Operation("list_tenants", "GET", "/api/admin/tenants", answer="TenantPage")

CREATE_TENANT = Operation(
    "create_tenant", "POST", "/api/admin/tenants", answer="TenantView", repetition="unsafe"
)

GET_TENANT = Operation("get_tenant", "GET", "/api/admin/tenants/{tenant_id}", answer="TenantView")

CHANGE_TENANT = Operation(
    "change_tenant", "PATCH", "/api/admin/tenants/{tenant_id}", answer="TenantView"
)

GET_TENANT_BUDGETS = Operation(
    "get_tenant_budgets", "GET", "/api/admin/tenants/{tenant_id}/budgets", answer="BudgetList"
)

REPLACE_TENANT_BUDGETS = Operation(
    "replace_tenant_budgets", "PUT", "/api/admin/tenants/{tenant_id}/budgets", answer="BudgetList"
)

LIST_USERS = Operation("list_users", "GET", "/api/admin/users", answer="UserPage")

CREATE_USER = Operation(
    "create_user", "POST", "/api/admin/users", answer="UserView", repetition="unsafe"
)

GET_USER = Operation("get_user", "GET", "/api/admin/users/{user_id}", answer="UserView")

CHANGE_USER = Operation("change_user", "PATCH", "/api/admin/users/{user_id}", answer="UserView")

GET_USER_BUDGETS = Operation(
    "get_user_budgets", "GET", "/api/admin/users/{user_id}/budgets", answer="BudgetList"
)

REPLACE_USER_BUDGETS = Operation(
    "replace_user_budgets", "PUT", "/api/admin/users/{user_id}/budgets", answer="BudgetList"
)

GET_AGENTS = Operation("get_agents", "GET", "/api/agents", answer="AgentDiscovery")

GET_AGENT = Operation("get_agent", "GET", "/api/agents/{agent_id}", answer="AgentInfo")

POST_CHAT = Operation(
    "post_chat",
    "POST",
    "/api/chat",
    answer="ChatResponse",
    waits=True,
    repetition="with_key",
    long=True,
    provider="openai",
    provider_in_body=True,
)

STREAM_CHAT = Operation(
    "stream_chat",
    "POST",
    "/api/chat/stream",
    kind="stream",
    repetition="with_key",
    long=True,
    provider="openai",
    provider_in_body=True,
)

POST_CHAT_VOICE = Operation(
    "post_chat_voice",
    "POST",
    "/api/chat/voice",
    answer="SpokenChatResponse",
    waits=True,
    repetition="with_key",
    long=True,
    provider="deepgram",
)

POST_CHAT_VOICE_STREAM = Operation(
    "post_chat_voice_stream",
    "POST",
    "/api/chat/voice",
    kind="stream",
    repetition="with_key",
    long=True,
    provider="deepgram",
)

POST_CODE = Operation(
    "post_code",
    "POST",
    "/api/code",
    answer="CodeResponse",
    repetition="unsafe",
    long=True,
    provider="openai",
)

EXECUTE_COMPUTER_TASK = Operation(
    "execute_computer_task",
    "POST",
    "/api/computer-use/execute",
    answer="ComputerUseResponse",
    repetition="with_key",
    long=True,
    provider_in_body=True,
)

EXECUTE_COMPUTER_TASK_STREAM = Operation(
    "execute_computer_task_stream",
    "POST",
    "/api/computer-use/execute",
    kind="stream",
    repetition="with_key",
    long=True,
    provider_in_body=True,
)

LIST_CONVERSATIONS = Operation(
    "list_conversations", "GET", "/api/conversations", answer="ConversationPage"
)

CREATE_CONVERSATION = Operation(
    "create_conversation",
    "POST",
    "/api/conversations",
    answer="ConversationView",
    repetition="unsafe",
)

DELETE_CONVERSATION = Operation(
    "delete_conversation", "DELETE", "/api/conversations/{conversation_id}", kind="nothing"
)

GET_CONVERSATION = Operation(
    "get_conversation", "GET", "/api/conversations/{conversation_id}", answer="ConversationView"
)

CHANGE_CONVERSATION = Operation(
    "change_conversation",
    "PATCH",
    "/api/conversations/{conversation_id}",
    answer="ConversationView",
)

REPLACE_CONVERSATION = Operation(
    "replace_conversation", "PUT", "/api/conversations/{conversation_id}", answer="ConversationView"
)

UNARCHIVE_CONVERSATION = Operation(
    "unarchive_conversation",
    "DELETE",
    "/api/conversations/{conversation_id}/archive",
    answer="ConversationView",
)

ARCHIVE_CONVERSATION = Operation(
    "archive_conversation",
    "POST",
    "/api/conversations/{conversation_id}/archive",
    answer="ConversationView",
)

LIST_BRANCHES = Operation(
    "list_branches", "GET", "/api/conversations/{conversation_id}/branches", answer="BranchList"
)

EXPORT_CONVERSATION = Operation(
    "export_conversation", "GET", "/api/conversations/{conversation_id}/export", kind="bytes"
)

FORK_CONVERSATION = Operation(
    "fork_conversation",
    "POST",
    "/api/conversations/{conversation_id}/fork",
    answer="ConversationView",
    repetition="unsafe",
)

LIST_MESSAGES = Operation(
    "list_messages", "GET", "/api/conversations/{conversation_id}/messages", answer="MessagePage"
)

SEND_MESSAGE = Operation(
    "send_message",
    "POST",
    "/api/conversations/{conversation_id}/messages",
    answer="ChatResponse",
    waits=True,
    repetition="with_key",
    long=True,
    provider="openai",
    provider_in_body=True,
)

SEND_MESSAGE_STREAM = Operation(
    "send_message_stream",
    "POST",
    "/api/conversations/{conversation_id}/messages",
    kind="stream",
    repetition="with_key",
    long=True,
    provider="openai",
    provider_in_body=True,
)

DELETE_MESSAGE = Operation(
    "delete_message",
    "DELETE",
    "/api/conversations/{conversation_id}/messages/{message_id}",
    kind="nothing",
)

GET_MESSAGE = Operation(
    "get_message",
    "GET",
    "/api/conversations/{conversation_id}/messages/{message_id}",
    answer="MessageView",
)

EDIT_MESSAGE = Operation(
    "edit_message",
    "PATCH",
    "/api/conversations/{conversation_id}/messages/{message_id}",
    answer="EditMessageAnswer",
    waits=True,
    repetition="with_key",
    long=True,
    provider="openai",
)

EDIT_MESSAGE_STREAM = Operation(
    "edit_message_stream",
    "PATCH",
    "/api/conversations/{conversation_id}/messages/{message_id}",
    kind="stream",
    repetition="with_key",
    long=True,
    provider="openai",
)

REPLACE_MESSAGE = Operation(
    "replace_message",
    "PUT",
    "/api/conversations/{conversation_id}/messages/{message_id}",
    answer="ReplaceMessageAnswer",
    waits=True,
    repetition="with_key",
    long=True,
    provider="openai",
)

REPLACE_MESSAGE_STREAM = Operation(
    "replace_message_stream",
    "PUT",
    "/api/conversations/{conversation_id}/messages/{message_id}",
    kind="stream",
    repetition="with_key",
    long=True,
    provider="openai",
)

RETRY_MESSAGE = Operation(
    "retry_message",
    "POST",
    "/api/conversations/{conversation_id}/messages/{message_id}/retry",
    answer="ChatResponse",
    waits=True,
    repetition="with_key",
    long=True,
    provider="openai",
)

RETRY_MESSAGE_STREAM = Operation(
    "retry_message_stream",
    "POST",
    "/api/conversations/{conversation_id}/messages/{message_id}/retry",
    kind="stream",
    repetition="with_key",
    long=True,
    provider="openai",
)

SELECT_BRANCH = Operation(
    "select_branch",
    "POST",
    "/api/conversations/{conversation_id}/messages/{message_id}/select",
    answer="ConversationView",
    repetition="unsafe",
)

UNPIN_CONVERSATION = Operation(
    "unpin_conversation",
    "DELETE",
    "/api/conversations/{conversation_id}/pin",
    answer="ConversationView",
)

PIN_CONVERSATION = Operation(
    "pin_conversation",
    "POST",
    "/api/conversations/{conversation_id}/pin",
    answer="ConversationView",
)

LIST_UNFINISHED_RUNS = Operation(
    "list_unfinished_runs", "GET", "/api/conversations/{conversation_id}/runs", answer="RunList"
)

LIST_CREDENTIALS = Operation("list_credentials", "GET", "/api/credentials", answer="CredentialPage")

EXCHANGE_CREDENTIAL = Operation(
    "exchange_credential",
    "POST",
    "/api/credentials",
    answer="ExchangedCredential",
    repetition="unsafe",
)

REVOKE_CREDENTIAL = Operation(
    "revoke_credential", "DELETE", "/api/credentials/{credential_id}", answer="CredentialView"
)

GET_CREDENTIAL = Operation(
    "get_credential", "GET", "/api/credentials/{credential_id}", answer="CredentialView"
)

ROTATE_CREDENTIAL = Operation(
    "rotate_credential",
    "POST",
    "/api/credentials/{credential_id}/rotate",
    answer="CredentialView",
    repetition="unsafe",
)

LIST_DESKTOPS = Operation("list_desktops", "GET", "/api/desktops", answer="DesktopPage")

CREATE_DESKTOP = Operation(
    "create_desktop", "POST", "/api/desktops", answer="DesktopView", repetition="unsafe"
)

END_DESKTOP = Operation("end_desktop", "DELETE", "/api/desktops/{desktop_id}", kind="nothing")

GET_DESKTOP = Operation("get_desktop", "GET", "/api/desktops/{desktop_id}", answer="DesktopView")

CONTROL_DESKTOP = Operation(
    "control_desktop", "POST", "/api/desktops/{desktop_id}/control", answer="DesktopView"
)

GET_FILM = Operation("get_film", "GET", "/api/desktops/{desktop_id}/film", kind="bytes")

LIST_FRAMES = Operation(
    "list_frames", "GET", "/api/desktops/{desktop_id}/frames", answer="FilmPage"
)

GET_SCREENSHOT = Operation(
    "get_screenshot", "GET", "/api/desktops/{desktop_id}/screenshot", kind="bytes"
)

STOP_DESKTOP = Operation(
    "stop_desktop", "POST", "/api/desktops/{desktop_id}/stop", answer="DesktopView"
)

LIST_FILES = Operation("list_files", "GET", "/api/files", answer="FilePage")

DELETE_FILE = Operation("delete_file", "DELETE", "/api/files/{file_id}", kind="nothing")

GET_FILE = Operation("get_file", "GET", "/api/files/{file_id}", answer="FileView")

GET_FILE_CONTENT = Operation(
    "get_file_content", "GET", "/api/files/{file_id}/content", kind="bytes"
)

GET_FILE_IMAGE = Operation("get_file_image", "GET", "/api/files/{file_id}/image", kind="bytes")

SEARCH_GITHUB = Operation(
    "search_github",
    "GET",
    "/api/github/search",
    answer="GitHubSearchResponse",
    long=True,
    provider="github",
)

POST_HUGGINGFACE_CHAT = Operation(
    "post_huggingface_chat",
    "POST",
    "/api/huggingface/chat",
    answer="ChatResponse",
    waits=True,
    repetition="with_key",
    long=True,
    provider="huggingface",
)

POST_HUGGINGFACE_CHAT_STREAM = Operation(
    "post_huggingface_chat_stream",
    "POST",
    "/api/huggingface/chat",
    kind="stream",
    repetition="with_key",
    long=True,
    provider="huggingface",
)

LIST_KEYS = Operation("list_keys", "GET", "/api/keys", answer="KeyPage")

CREATE_KEY = Operation(
    "create_key", "POST", "/api/keys", answer="IssuedKeyView", repetition="unsafe"
)

GET_KEY = Operation("get_key", "GET", "/api/keys/{key_id}", answer="KeyView")

CHANGE_KEY = Operation("change_key", "PATCH", "/api/keys/{key_id}", answer="KeyView")

REVOKE_KEY = Operation("revoke_key", "POST", "/api/keys/{key_id}/revoke", answer="KeyView")

ROTATE_KEY = Operation(
    "rotate_key", "POST", "/api/keys/{key_id}/rotate", answer="IssuedKeyView", repetition="unsafe"
)

GET_ME = Operation("get_me", "GET", "/api/me", answer="Me")

DELETE_FEEDBACK = Operation(
    "delete_feedback", "DELETE", "/api/messages/{message_id}/feedback", kind="nothing"
)

GET_FEEDBACK = Operation(
    "get_feedback", "GET", "/api/messages/{message_id}/feedback", answer="FeedbackView"
)

GIVE_FEEDBACK = Operation(
    "give_feedback",
    "POST",
    "/api/messages/{message_id}/feedback",
    answer="FeedbackView",
    repetition="unsafe",
)

LIST_MODELS = Operation("list_models", "GET", "/api/models", answer="ModelList")

LIST_PROVIDERS = Operation("list_providers", "GET", "/api/providers", answer="ProviderList")

CHECK_PROVIDER = Operation(
    "check_provider", "POST", "/api/providers/{name}/check", answer="ProviderCheck"
)

GET_RUN = Operation("get_run", "GET", "/api/runs/{run_id}", answer="RunView")

DECIDE_ON_APPROVAL = Operation(
    "decide_on_approval", "POST", "/api/runs/{run_id}/approvals/{approval_id}", answer="RunView"
)

CANCEL_RUN = Operation("cancel_run", "POST", "/api/runs/{run_id}/cancel", answer="RunView")

CONTINUE_RUN = Operation(
    "continue_run",
    "POST",
    "/api/runs/{run_id}/continue",
    answer="RunView",
    repetition="with_key",
    long=True,
    provider="openai",
)

GET_RUN_EVENTS = Operation("get_run_events", "GET", "/api/runs/{run_id}/events", kind="stream")

SEARCH_OWN_DATA = Operation("search_own_data", "GET", "/api/search", answer="OwnSearchResponse")

SEARCH = Operation(
    "search",
    "POST",
    "/api/search",
    answer="SearchResponse",
    long=True,
    provider="tavily",
    provider_in_body=True,
)

CLOSE_SESSION = Operation("close_session", "DELETE", "/api/session", kind="nothing")

OPEN_SESSION = Operation("open_session", "POST", "/api/session", answer="LoginSessionView")

ISSUE_STREAM_TICKET = Operation(
    "issue_stream_ticket", "POST", "/api/stream-tickets", answer="StreamTicket"
)

UPLOAD_FILE = Operation(
    "upload_file", "POST", "/api/upload", answer="FileUploadResponse", repetition="unsafe"
)

UPLOAD_FILES = Operation(
    "upload_files", "POST", "/api/upload/multiple", answer="UploadedFiles", repetition="unsafe"
)

GET_USAGE = Operation("get_usage", "GET", "/api/usage", answer="UsageReport")

GET_USAGE_TIMELINE = Operation(
    "get_usage_timeline", "GET", "/api/usage/timeline", answer="UsageTimeline"
)

GET_VOICE = Operation(
    "get_voice", "GET", "/api/voice", answer="VoiceView", long=True, provider="deepgram"
)

PROCESS_VOICE = Operation(
    "process_voice",
    "POST",
    "/api/voice/process",
    answer="VoiceInputResponse",
    waits=True,
    repetition="with_key",
    long=True,
    provider="deepgram",
)

SPEAK = Operation(
    "speak",
    "POST",
    "/api/voice/speak",
    kind="bytes",
    repetition="unsafe",
    long=True,
    provider="deepgram",
)

TRANSCRIBE = Operation(
    "transcribe",
    "POST",
    "/api/voice/transcribe",
    answer="TranscriptionResponse",
    repetition="unsafe",
    long=True,
    provider="deepgram",
)

GET_HEALTH = Operation("get_health", "GET", "/health", answer="Health")

GET_READY = Operation("get_ready", "GET", "/ready", answer="Readiness")

OPERATIONS: tuple[Operation, ...] = (
    GET_ANALYTICS,
    LIST_AUDIT_LOG,
    LIST_ALL_KEYS,
    CREATE_KEY_OF_USER,
    GET_ANY_KEY,
    CHANGE_ANY_KEY,
    GET_KEY_BUDGETS,
    REPLACE_KEY_BUDGETS,
    REVOKE_ANY_KEY,
    ROTATE_ANY_KEY,
    LIST_TENANTS,
    CREATE_TENANT,
    GET_TENANT,
    CHANGE_TENANT,
    GET_TENANT_BUDGETS,
    REPLACE_TENANT_BUDGETS,
    LIST_USERS,
    CREATE_USER,
    GET_USER,
    CHANGE_USER,
    GET_USER_BUDGETS,
    REPLACE_USER_BUDGETS,
    GET_AGENTS,
    GET_AGENT,
    POST_CHAT,
    STREAM_CHAT,
    POST_CHAT_VOICE,
    POST_CHAT_VOICE_STREAM,
    POST_CODE,
    EXECUTE_COMPUTER_TASK,
    EXECUTE_COMPUTER_TASK_STREAM,
    LIST_CONVERSATIONS,
    CREATE_CONVERSATION,
    DELETE_CONVERSATION,
    GET_CONVERSATION,
    CHANGE_CONVERSATION,
    REPLACE_CONVERSATION,
    UNARCHIVE_CONVERSATION,
    ARCHIVE_CONVERSATION,
    LIST_BRANCHES,
    EXPORT_CONVERSATION,
    FORK_CONVERSATION,
    LIST_MESSAGES,
    SEND_MESSAGE,
    SEND_MESSAGE_STREAM,
    DELETE_MESSAGE,
    GET_MESSAGE,
    EDIT_MESSAGE,
    EDIT_MESSAGE_STREAM,
    REPLACE_MESSAGE,
    REPLACE_MESSAGE_STREAM,
    RETRY_MESSAGE,
    RETRY_MESSAGE_STREAM,
    SELECT_BRANCH,
    UNPIN_CONVERSATION,
    PIN_CONVERSATION,
    LIST_UNFINISHED_RUNS,
    LIST_CREDENTIALS,
    EXCHANGE_CREDENTIAL,
    REVOKE_CREDENTIAL,
    GET_CREDENTIAL,
    ROTATE_CREDENTIAL,
    LIST_DESKTOPS,
    CREATE_DESKTOP,
    END_DESKTOP,
    GET_DESKTOP,
    CONTROL_DESKTOP,
    GET_FILM,
    LIST_FRAMES,
    GET_SCREENSHOT,
    STOP_DESKTOP,
    LIST_FILES,
    DELETE_FILE,
    GET_FILE,
    GET_FILE_CONTENT,
    GET_FILE_IMAGE,
    SEARCH_GITHUB,
    POST_HUGGINGFACE_CHAT,
    POST_HUGGINGFACE_CHAT_STREAM,
    LIST_KEYS,
    CREATE_KEY,
    GET_KEY,
    CHANGE_KEY,
    REVOKE_KEY,
    ROTATE_KEY,
    GET_ME,
    DELETE_FEEDBACK,
    GET_FEEDBACK,
    GIVE_FEEDBACK,
    LIST_MODELS,
    LIST_PROVIDERS,
    CHECK_PROVIDER,
    GET_RUN,
    DECIDE_ON_APPROVAL,
    CANCEL_RUN,
    CONTINUE_RUN,
    GET_RUN_EVENTS,
    SEARCH_OWN_DATA,
    SEARCH,
    CLOSE_SESSION,
    OPEN_SESSION,
    ISSUE_STREAM_TICKET,
    UPLOAD_FILE,
    UPLOAD_FILES,
    GET_USAGE,
    GET_USAGE_TIMELINE,
    GET_VOICE,
    PROCESS_VOICE,
    SPEAK,
    TRANSCRIBE,
    GET_HEALTH,
    GET_READY,
)
