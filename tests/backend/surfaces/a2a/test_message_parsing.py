"""Messages of A2A become commands of chats; what this server cannot answer is refused by name."""

from typing import Any

import msgspec
import pytest

from cartrita.domain.messages import Text
from cartrita.surfaces.a2a.message_parsing import MAX_CHARACTERS, command_of
from cartrita.surfaces.a2a.rpc_errors import (
    CONTENT_TYPE_NOT_SUPPORTED,
    PUSH_NOTIFICATION_NOT_SUPPORTED,
)
from cartrita.surfaces.a2a.types import SendParams
from cartrita.surfaces.rpc.json_rpc import INVALID_PARAMS, RpcError


def sent(*parts: dict[str, Any], **fields: Any) -> SendParams:
    message = {"messageId": "m-1", "role": "ROLE_USER", "parts": list(parts), **fields}
    return msgspec.convert({"message": message, "metadata": {"a": 1}}, SendParams)


def test_text_and_data_become_one_text() -> None:
    given = sent({"text": "Add these."}, {"data": {"n": [1, 2]}}, contextId="conv_x")
    command = command_of(given, "analyst")
    assert command.message.parts == (Text('Add these.\n\n{"n":[1,2]}'),)
    assert (command.surface, command.agent) == ("a2a", "analyst")
    assert (command.conversation_id, command.client_msg_id) == ("conv_x", "m-1")
    assert command.metadata == {"a": 1}


def test_a_value_of_null_is_data_too() -> None:
    assert command_of(sent({"data": None}), None).message.parts == (Text("null"),)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (sent({"text": "x"}, role="ROLE_AGENT"), INVALID_PARAMS),
        (sent(), INVALID_PARAMS),
        (sent({"text": "  \n"}), INVALID_PARAMS),
        (sent({"mediaType": "text/plain"}), INVALID_PARAMS),
        (sent({"text": "x" * (MAX_CHARACTERS + 1)}), INVALID_PARAMS),
        (sent({"raw": "eA=="}), CONTENT_TYPE_NOT_SUPPORTED),
        (sent({"url": "https://example.com/a.png"}), CONTENT_TYPE_NOT_SUPPORTED),
    ],
)
def test_what_is_refused(given: SendParams, code: int) -> None:
    with pytest.raises(RpcError) as refused:
        command_of(given, None)
    assert refused.value.code == code


def test_nothing_is_pushed() -> None:
    wanted = {"taskPushNotificationConfig": {"url": "https://example.com"}}
    message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "x"}]}
    given = msgspec.convert({"message": message, "configuration": wanted}, SendParams)
    with pytest.raises(RpcError) as refused:
        command_of(given, None)
    assert refused.value.code == PUSH_NOTIFICATION_NOT_SUPPORTED
