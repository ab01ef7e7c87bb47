"""What a chat request may hold, as a JSON body or as a query, and what it asks of us."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import parse_qsl

import structlog
from pydantic import BeforeValidator, Field
from pydantic.alias_generators import to_camel

from cartrita.application.runs import ChatCommand
from cartrita.domain.errors import InvalidInput, Malformed
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import Sampling
from cartrita.domain.runs import BusyPolicy
from cartrita.surfaces.native.bodies import Incoming, require_storable, validated

log = structlog.get_logger()

MAX_MESSAGE = 32_000
STRUCTURED = frozenset({"context", "metadata"})
_LISTS = frozenset({"tools", "attachments"})
_NOTHING = frozenset({"", "null", "undefined"})
_MAX_PAIRS = 200


def _absent(value: object) -> object:
    """Frontends send an empty text for what they do not know yet."""
    return None if value == "" else value


def _spoken(value: object) -> object:
    """`{}` stands for no earlier messages: frontends send it by default."""
    return () if value == {} else value


Words: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=MAX_MESSAGE, pattern=r"\S", examples=["Hello!"])
]
Id: TypeAlias = Annotated[str | None, Field(max_length=255), BeforeValidator(_absent)]
Name: TypeAlias = Annotated[str, Field(max_length=255)]


class TextPart(Incoming):
    """A part of an earlier message."""

    type: Literal["text"]
    text: str


class EarlierMessage(Incoming):
    """A message that the caller brings along."""

    role: Literal["user", "assistant", "system"]
    content: str | Annotated[list[TextPart], Field(fail_fast=True, max_length=1000)]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class MessageRequest(Incoming):
    """A message to be answered in the conversation that the path names."""

    message: Words
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
        BeforeValidator(_spoken, json_schema_input_type=list[EarlierMessage] | dict[str, Any]),
    ] = ()
    agent_override: Annotated[Id, Field(description="The agent that answers.")] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    max_tokens: Annotated[int | None, Field(ge=1, le=10_000_000)] = None
    tools: Annotated[tuple[Name, ...], Field(fail_fast=True, max_length=128)] = ()
    attachments: Annotated[tuple[Name, ...], Field(fail_fast=True, max_length=128)] = ()
    system: Annotated[str | None, Field(max_length=MAX_MESSAGE), BeforeValidator(_absent)] = None
    stream: Annotated[bool, Field(description="Answer as text/event-stream.")] = False
    metadata: Annotated[dict[str, Any], Field(default_factory=dict)]
    busy: Annotated[
        BusyPolicy | None,
        Field(
            description="What to do while the conversation's last answer is being written; without"
            " it the server's setting counts."
        ),
    ] = None

    def ask(self, conversation_id: str | None) -> ChatCommand:
        """The same in the application's words."""
        told = [self.system, *(m.text for m in self.context if m.role == "system")]
        return ChatCommand(
            message=self.message,
            conversation_id=conversation_id,
            client_msg_id=self.client_msg_id,
            provider=self.provider,
            model=self.model,
            agent=self.agent_override,
            context=tuple(_message(m) for m in self.context if m.role != "system"),
            sampling=Sampling(temperature=self.temperature, max_tokens=self.max_tokens),
            tools=self.tools,
            attachments=self.attachments,
            instructions="\n\n".join(text for text in told if text) or None,
            metadata=self.metadata,
            busy=self.busy,
        )


class ChatRequest(MessageRequest):
    """A message to be answered, in a conversation or in a new one."""

    conversation_id: Annotated[
        Id, Field(description="The conversation to continue; without it one is made.")
    ] = None


def _message(earlier: EarlierMessage) -> Message:
    return Message(Role(earlier.role), (Text(earlier.text),))


def chat_query(query: bytes) -> ChatRequest:
    """A chat request as `EventSource` can send it.

    Objects come as JSON, lists as JSON, repeated or separated by commas. What `String(object)`
    makes of an object is ignored. Raises Malformed and InvalidInput.
    """
    asked: dict[str, Any] = {}
    for name, value in _pairs(query):
        require_storable(name, value)
        field = _SNAKE.get(name, name)
        if field in _LISTS:
            asked[field] = [*asked.get(field, []), *_items(field, value)]
        elif field == "message" or value not in _NOTHING:
            asked[field] = _value(field, value)
    return validated(ChatRequest, {name: v for name, v in asked.items() if v is not None})


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_PAIRS
        )
    except UnicodeDecodeError:
        raise Malformed("The query is not UTF-8: encode it as UTF-8, then as %xx.") from None
    except ValueError:
        raise Malformed(f"The query holds more than {_MAX_PAIRS} parameters.") from None


def _value(field: str, value: str) -> object:
    if field not in STRUCTURED:
        return value
    if "[object Object]" in value:
        log.warning("query_parameter_ignored", parameter=field)
        return None
    return _json(field, value)


def _items(field: str, value: str) -> Iterator[object]:
    if value.startswith("["):
        found = _json(field, value)
        yield from found if isinstance(found, list) else [found]
    elif value not in _NOTHING:
        yield from (item for part in value.split(",") if (item := part.strip()))


def _json(field: str, value: str) -> Any:  # noqa: ANN401 - any JSON, which the model checks next
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        raise InvalidInput.of(field, "it is not JSON; encode objects and lists as JSON") from None
    require_storable(field, found)
    return found


_SNAKE = {to_camel(name): name for name in ChatRequest.model_fields}
