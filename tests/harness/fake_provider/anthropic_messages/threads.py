"""Threads: conversations that the server holds, so that a request brings only its new messages."""

from typing import cast

import msgspec
from tests.harness.fake_provider.anthropic_messages import errors
from tests.harness.fake_provider.shape_checks import Json

BETA = "message-threads-2026-08-12"
_FIXED = ("system", "tools")
"""The fields that a thread keeps from its first request, and that no later one repeats."""


class _Held(msgspec.Struct):
    """A conversation up to one answer, which can be continued once."""

    messages: list[object]
    fixed: Json
    continued: bool = False


class Threads:
    """The threads of a server, for one request with this header `anthropic-beta`."""

    def __init__(self, kept: dict[str, object], betas: str) -> None:
        self._kept = kept
        self.beta = bool(betas)
        self.betas = betas.replace(" ", "").split(",")
        self._allowed = BETA in self.betas
        self._holds = False
        self._before: _Held | None = None

    def whole(self, fields: Json) -> Json:
        """The request with all of its conversation. Raises the Refusal of a thread."""
        thread = fields.get("thread")
        if not isinstance(thread, dict):
            return fields
        if not self._allowed:
            raise errors.extra("thread")
        if b'"cache_control":{' in msgspec.json.encode(fields):
            raise _refused("unsupported_request", unsupported=["cache_control"])
        self._holds = True
        name = cast("Json", thread).get("previous_message_id")
        return self._continued(name, fields) if isinstance(name, str) else fields

    def hold(self, name: str, fields: Json, answered: list[Json]) -> None:
        """Keep the conversation under the id of its answer, if the request said so."""
        if self._before is not None:
            self._before.continued = True
        if self._holds:
            reply = {"role": "assistant", "content": answered}
            messages = [*cast("list[object]", fields["messages"]), reply]
            self._kept[name] = _Held(
                messages, {one: fields[one] for one in _FIXED if one in fields}
            )

    def _continued(self, name: str, given: Json) -> Json:
        held = self._kept.get(name)
        if not isinstance(held, _Held):
            raise _refused("not_found", status=404, kind="not_found_error")
        if held.continued:
            raise _refused("already_continued")
        for each in _FIXED:
            if each in given:
                raise errors.at(each, "may not be given when a thread is continued")
        self._before = held
        messages = [*held.messages, *cast("list[object]", given.get("messages") or [])]
        return {**given, **held.fixed, "messages": messages}


def _refused(
    code: str, status: int = 400, kind: str = "invalid_request_error", **more: object
) -> errors.AnthropicRefusal:
    details = {"error_code": f"thread_{code}", **more}
    message = f"thread: {code.replace('_', ' ')}"
    return errors.AnthropicRefusal(message, status=status, kind=kind, details=details)
