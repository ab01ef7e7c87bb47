"""Chat requests as JSON bodies and as query parameters, and their conversion to commands."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import parse_qsl

import structlog
from pydantic import BeforeValidator, Field
from pydantic.alias_generators import to_camel

from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.caps import Caps
from cartrita.domain.errors import InvalidInput, Malformed
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import Sampling
from cartrita.domain.runs import BusyPolicy
from cartrita.surfaces.json_bodies import load_strictly, validate_storable
from cartrita.surfaces.native.request_bodies import RequestModel, validated

log = structlog.get_logger(__name__)

MAX_MESSAGE = 32_000
JSON_FIELDS = frozenset({"context", "limits", "metadata"})
_LIST_FIELDS = frozenset({"tools", "attachments"})
_EMPTY_VALUES = frozenset({"", "null", "undefined"})
_MAX_PARAMETERS = 200


def _empty_to_none(value: object) -> object:
    """Frontends send an empty string for a value that they do not have."""
    return None if value == "" else value


def _empty_object_to_list(value: object) -> object:
    """Frontends send `{}` by default when there are no earlier messages."""
    return () if value == {} else value


MessageText: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=MAX_MESSAGE, pattern=r"\S", examples=["Hello!"])
]
Id: TypeAlias = Annotated[str | None, Field(max_length=255), BeforeValidator(_empty_to_none)]
Name: TypeAlias = Annotated[str, Field(max_length=255)]


class EarlierText(RequestModel):
    """A part of an earlier message."""

    type: Literal["text"]
    text: str


class EarlierMessage(RequestModel):
    """A message that the caller brings along."""

    role: Literal["user", "assistant", "system"]
    content: str | Annotated[list[EarlierText], Field(fail_fast=True, max_length=1000)]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class AnswerLimits(RequestModel):
    """What one answer may take at most; the agent's own limits count too."""

    steps: Annotated[int | None, Field(ge=1, le=1000)] = None
    tokens: Annotated[int | None, Field(ge=1, le=1_000_000_000)] = None
    cost: Annotated[float | None, Field(gt=0, le=1_000_000, description="US dollars.")] = None
    seconds: Annotated[float | None, Field(gt=0, le=86_400)] = None


class MessageRequest(RequestModel):
    """A message to be answered in the conversation that the path names."""

    message: MessageText
    client_msg_id: Annotated[
        Id, Field(description="Makes this message one, however often it is sent.")
    ] = None
    provider: Annotated[
        Id, Field(description="A configured provider; without it the assistant chooses.")
    ] = None
    model: Annotated[Id, Field(examples=["offline/assistant"])] = None
    context: Annotated[
        tuple[EarlierMessage, ...],
        Field(
            fail_fast=True,
            max_length=1000,
            description="Earlier messages from elsewhere, oldest first.",
        ),
        BeforeValidator(
            _empty_object_to_list, json_schema_input_type=list[EarlierMessage] | dict[str, Any]
        ),
    ] = ()
    agent_override: Annotated[Id, Field(description="The agent that answers.")] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    max_tokens: Annotated[int | None, Field(ge=1, le=10_000_000)] = None
    tools: Annotated[tuple[Name, ...], Field(fail_fast=True, max_length=128)] = ()
    attachments: Annotated[tuple[Name, ...], Field(fail_fast=True, max_length=128)] = ()
    system: Annotated[
        str | None, Field(max_length=MAX_MESSAGE), BeforeValidator(_empty_to_none)
    ] = None
    stream: Annotated[bool, Field(description="Answer as text/event-stream.")] = False
    metadata: Annotated[dict[str, Any], Field(default_factory=dict)]
    limits: Annotated[AnswerLimits | None, Field(description="What the answer may take.")] = None
    approval: Annotated[
        ApprovalPolicy | None,
        Field(description="Which calls of tools a person decides on; it can only be tightened."),
    ] = None
    busy: Annotated[
        BusyPolicy | None,
        Field(
            description="What to do while the conversation's last answer is being written; without"
            " it the server's setting counts."
        ),
    ] = None

    def to_command(self, conversation_id: str | None) -> ChatCommand:
        """The application's command for this request."""
        instructions = [self.system, *(m.text for m in self.context if m.role == "system")]
        return ChatCommand(
            message=Message(Role.USER, (Text(self.message),)),
            conversation_id=conversation_id,
            client_msg_id=self.client_msg_id,
            provider=self.provider,
            model=self.model,
            agent=self.agent_override,
            context=tuple(_to_message(m) for m in self.context if m.role != "system"),
            sampling=Sampling(temperature=self.temperature, max_tokens=self.max_tokens),
            tools=self.tools,
            attachments=self.attachments,
            instructions="\n\n".join(text for text in instructions if text) or None,
            metadata=self.metadata,
            busy=self.busy,
            caps=Caps() if self.limits is None else Caps(**self.limits.model_dump()),
            approval=self.approval,
        )


class ChatRequest(MessageRequest):
    """A message to be answered, in a conversation or in a new one."""

    conversation_id: Annotated[
        Id, Field(description="The conversation to continue; without it one is made.")
    ] = None


def _to_message(earlier: EarlierMessage) -> Message:
    return Message(Role(earlier.role), (Text(earlier.text),))


def parse_chat_query(query: bytes) -> ChatRequest:
    """Parse a chat request from a query, as `EventSource` sends it.

    Objects are JSON; lists are JSON, repeated, or separated by commas. An object that a frontend
    has converted with `String(object)` is ignored. Raises Malformed and InvalidInput.
    """
    values: dict[str, Any] = {}
    for name, value in _parameters(query):
        validate_storable(name, value)
        field = _SNAKE.get(name, name)
        if field in _LIST_FIELDS:
            values[field] = [*values.get(field, []), *_parse_items(field, value)]
        elif field == "message" or value not in _EMPTY_VALUES:
            values[field] = _parse_value(field, value)
    return validated(ChatRequest, {name: v for name, v in values.items() if v is not None})


def _parameters(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS
        )
    except UnicodeDecodeError:
        raise Malformed("The query is not UTF-8: encode it as UTF-8, then as %xx.") from None
    except ValueError:
        raise Malformed(f"The query holds more than {_MAX_PARAMETERS} parameters.") from None


def _parse_value(field: str, value: str) -> object:
    if field not in JSON_FIELDS:
        return value
    if "[object Object]" in value:
        log.warning("query_parameter_ignored", parameter=field)
        return None
    return _parse_json(field, value)


def _parse_items(field: str, value: str) -> Iterator[object]:
    if value.startswith("["):
        found = _parse_json(field, value)
        yield from found if isinstance(found, list) else [found]
    elif value not in _EMPTY_VALUES:
        yield from (item for part in value.split(",") if (item := part.strip()))


def _parse_json(field: str, value: str) -> Any:  # noqa: ANN401 - any JSON, which the model checks next
    try:
        found = load_strictly(value)
    except (ValueError, RecursionError):
        raise InvalidInput.of(field, "it is not JSON; encode objects and lists as JSON") from None
    validate_storable(field, found)
    return found


_SNAKE = {to_camel(name): name for name in ChatRequest.model_fields}
