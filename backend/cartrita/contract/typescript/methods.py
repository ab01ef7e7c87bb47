"""The class with a method for each operation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cartrita.contract.model import (
    WAITING,
    Body,
    BodyFormat,
    Contract,
    Field,
    ListOf,
    Named,
    OneOf,
    Operation,
    Plain,
    Streaming,
    Type,
)
from cartrita.contract.typescript.texts import HEADER, camel, comment, literal
from cartrita.contract.typescript.types import fields_name, is_file, query_name, type_text

_UNWRAPPED: Final = {"get_agents": ("agents", Named("AgentInfo"))}
"""Answers of which frontends were promised one field alone."""
_CLASS: Final = """\
/** A method for each operation; how they are asked is its heir's matter. */
export abstract class GeneratedClient {
  protected abstract askJson<T>(operation: Operation, call: Call): Promise<T>;
  protected abstract askNothing(operation: Operation, call: Call): Promise<void>;
  protected abstract askContent(operation: Operation, call: Call): Promise<Response>;
  protected abstract askPages<T>(operation: Operation, call: Call): PageRequest<T>;
  protected abstract askStream(operation: Operation, call: Call): ChatStream;
"""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a method, and what of the call it becomes."""

    name: str
    type: str
    default: str = ""

    @property
    def declared(self) -> str:
        return f"{self.name}{self.default and '?'}: {self.type}"


def client_file(contract: Contract) -> str:
    """The class that the client inherits from."""
    methods = "\n".join(_method(each) for each in contract.operations)
    names = sorted({name for each in contract.operations for name in _imported(each)})
    imported = "".join(f"  {each},\n" for each in names)
    return f"""{HEADER}
import {{ textsOf }} from '../forms.js';
import type {{ Call, Operation, RequestOptions, UploadOptions }} from '../operation.js';
import type {{ Streamed, Whole }} from '../operation.js';
import type {{ PageRequest }} from '../pages.js';
import type {{ ChatStream }} from '../stream.js';
import {{ OPERATIONS }} from './operations.js';
import type {{
{imported}}} from './types.js';

{_CLASS}
{methods}}}
"""


def _method(operation: Operation) -> str:
    found = (
        _on_request(operation) if operation.streaming is Streaming.ON_REQUEST else _plain(operation)
    )
    return comment(operation.description, "  ") + found


def _plain(operation: Operation) -> str:
    """A method with one kind of answer."""
    arguments = [*_arguments(operation), _options(operation)]
    verb, answer = _asked(operation)
    asked = f"this.{verb}(OPERATIONS.{operation.id}, {_call(operation)})"
    if operation.id in _UNWRAPPED:
        field, item = _UNWRAPPED[operation.id]
        head = _head(operation, arguments, f"Promise<readonly {type_text(item)}[]>", "async ")
        return f"{head} {{\n    return (await {asked}).{field};\n  }}\n"
    return f"{_head(operation, arguments, answer)} {{\n    return {asked};\n  }}\n"


def _on_request(operation: Operation) -> str:
    """A method that streams where the request says so."""
    options = _options(operation)
    *before, request = _arguments(operation)
    answer = f"Promise<{_json(operation.answer)}>"
    whole = Argument(request.name, f"Whole<{request.type}>", request.default)
    streamed = Argument(request.name, f"Streamed<{request.type}>")
    either = Argument(
        request.name, f"Whole<{request.type}> | Streamed<{request.type}>", request.default
    )
    heads = [
        _head(operation, [*before, streamed, options], "ChatStream") + ";\n",
        _head(operation, [*before, whole, options], answer) + ";\n",
        _head(operation, [*before, either, options], f"ChatStream | {answer}") + " {\n",
    ]
    return (
        f"{''.join(heads)}    const call: Call = {_call(operation)};\n"
        f"    if ({request.name}{request.default and '?'}.stream === true) "
        f"return this.askStream(OPERATIONS.{operation.id}, call);\n"
        f"    return this.askJson(OPERATIONS.{operation.id}, call);\n  }}\n"
    )


def _head(operation: Operation, arguments: list[Argument], answer: str, before: str = "") -> str:
    inside = ", ".join(each.declared for each in arguments)
    return f"  {before}{camel(operation.id)}({inside}): {answer}"


def _arguments(operation: Operation) -> Iterator[Argument]:
    for each in operation.path_parameters:
        yield Argument(camel(each.name), "string")
    body = operation.body
    if body and body.format is BodyFormat.FORM:
        yield from _form_arguments(operation, body)
    elif body and body.record:
        required = operation.method != "POST" or any(each.required for each in body.fields)
        yield Argument("request", body.record, "" if required else "?")
    if operation.query:
        required = any(each.required for each in operation.query)
        yield Argument("query", query_name(operation), "" if required else "?")


def _form_arguments(operation: Operation, body: Body) -> Iterator[Argument]:
    """Files first, then a field that is alone, or an object of those that are several."""
    for each in filter(is_file, body.fields):
        yield Argument(camel(each.name), type_text(each.type))
    if fields_name(operation):
        yield Argument("fields", fields_name(operation), "?")
    else:
        for each in body.fields:
            if not is_file(each):
                yield Argument(camel(each.name), f"{type_text(each.type)} | undefined", "?")


def _options(operation: Operation) -> Argument:
    uploads = operation.body is not None and operation.body.format is BodyFormat.FORM
    return Argument("options", "UploadOptions" if uploads else "RequestOptions", "?")


def _call(operation: Operation) -> str:
    parts: list[str] = []
    if operation.path_parameters:
        names = ", ".join(f"{each.name}: {camel(each.name)}" for each in operation.path_parameters)
        parts.append(f"path: {{ {names} }}")
    body = operation.body
    if body and body.format is BodyFormat.FORM:
        parts.append(f"form: {_form(operation, body)}")
    elif body:
        optional = next(each for each in _arguments(operation) if each.name == "request").default
        parts.append("body: request ?? {}" if optional else "body: request")
    if operation.query:
        parts.append("query")
    return "{ " + ", ".join([*parts, "options"]) + " }"


def _form(operation: Operation, body: Body) -> str:
    several = fields_name(operation)
    rows = [_form_row(each) for each in body.fields if is_file(each) or not several]
    return "[" + ", ".join([*rows, *(["...textsOf(fields)"] if several else [])]) + "]"


def _form_row(field: Field) -> str:
    name, value = literal(field.name), camel(field.name)
    if isinstance(field.type, ListOf):
        return f"...{value}.map((each) => [{name}, each] as const)"
    return f"[{name}, {value}]"


def _asked(operation: Operation) -> tuple[str, str]:
    """Which of the heir's methods asks, and what it returns."""
    if operation.streaming is Streaming.ALWAYS:
        return "askStream", "ChatStream"
    if operation.item is not None:
        item = type_text(operation.item)
        return f"askPages<{item}>", f"PageRequest<{item}>"
    if operation.answer is None:
        return "askNothing", "Promise<void>"
    if isinstance(operation.answer, Plain):
        return "askContent", "Promise<Response>"
    answer = _json(operation.answer)
    return f"askJson<{answer}>", f"Promise<{answer}>"


def _json(answer: Type | None) -> str:
    """The type of an answer that is JSON; one that waits for a person is thrown."""
    options = answer.options if isinstance(answer, OneOf) else (answer,)
    return " | ".join(type_text(each) for each in options if each is not None and each != WAITING)


def _imported(operation: Operation) -> Iterator[str]:
    if operation.query:
        yield query_name(operation)
    if operation.body and operation.body.record:
        yield operation.body.record
    if fields_name(operation):
        yield fields_name(operation)
    kinds = operation.answer.options if isinstance(operation.answer, OneOf) else [operation.answer]
    if operation.id in _UNWRAPPED:
        kinds = [*kinds, _UNWRAPPED[operation.id][1]]
    answers = [operation.item] if operation.item else kinds
    yield from (each.name for each in answers if isinstance(each, Named) and each != WAITING)
