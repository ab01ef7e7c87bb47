"""The table of operations, and what else is data: kinds of errors, names of events, the version."""

from cartrita.contract.model import Contract, ErrorKind, Operation, Plain, Streaming
from cartrita.contract.typescript.texts import HEADER, comment, literal, literals, pascal


def operations_file(contract: Contract) -> str:
    """How each operation is asked."""
    rows = "".join(_row(each) for each in contract.operations)
    return (
        f"{HEADER}\nimport type {{ Operation }} from '../operation.js';\n\n"
        f"/** How each operation is asked. */\n"
        f"export const OPERATIONS = {{\n{rows}}} as const satisfies Record<string, Operation>;\n"
    )


def errors_file(contract: Contract) -> str:
    """A class for each kind of errors, and what is known of each."""
    classes = "\n".join(
        f"{comment(each.sentence)}export class {error_class(each)} extends CartritaApiError {{}}\n"
        for each in contract.error_kinds
    )
    rows = "".join(_kind(each) for each in contract.error_kinds)
    return f"""{HEADER}
import {{ CartritaApiError, type ErrorFacts }} from '../errors.js';

{classes}
/** A kind of errors: `lasting` codes are not retryable, even where the kind is. */
export interface ErrorKind {{
  readonly kind: string;
  readonly type: new (message: string, facts: ErrorFacts) => CartritaApiError;
  readonly statuses: readonly number[];
  readonly codes: readonly string[];
  readonly retryable: boolean;
  readonly lasting: readonly string[];
}}

export const ERROR_KINDS: readonly ErrorKind[] = [
{rows}];
"""


def events_file(contract: Contract) -> str:
    """The names of the events that this version knows."""
    names = "".join(f"  {literal(each.name)},\n" for each in contract.events)
    return (
        f"{HEADER}\n/** The events that this client knows; newer servers may send others. */\n"
        f"export const EVENT_NAMES: ReadonlySet<string> = new Set([\n{names}]);\n"
    )


def version_file(contract: Contract) -> str:
    """The version of the contract."""
    return (
        f"{HEADER}\n/** The version of the contract. */\n"
        f"export const VERSION = {literal(contract.version)};\n"
    )


def error_class(kind: ErrorKind) -> str:
    """What the class of a kind is called."""
    return f"{pascal(kind.name)}Error"


def _row(operation: Operation) -> str:
    facts = {
        "id": literal(operation.id),
        "method": literal(operation.method),
        "path": literal(operation.path),
        "answer": literal(_answer(operation)),
        "repetition": literal(operation.repetition.value),
    }
    if operation.waits:
        facts["waits"] = "true"
    if operation.provider:
        name, field = operation.provider.default, operation.provider.field
        facts["provider"] = f"{{ name: {_maybe(name)}, field: {_maybe(field)} }}"
    inside = "".join(f"    {name}: {value},\n" for name, value in facts.items())
    return f"  {operation.id}: {{\n{inside}  }},\n"


def _maybe(text: str | None) -> str:
    return "undefined" if text is None else literal(text)


def _answer(operation: Operation) -> str:
    if operation.streaming is Streaming.ALWAYS:
        return "events"
    if operation.answer is None:
        return "nothing"
    return "content" if isinstance(operation.answer, Plain) else "json"


def _kind(kind: ErrorKind) -> str:
    codes = "".join(f"      {literal(each)},\n" for each in kind.codes)
    return (
        f"  {{\n    kind: {literal(kind.name)},\n    type: {error_class(kind)},\n"
        f"    statuses: {literals(kind.statuses)},\n    codes: [\n{codes}    ],\n"
        f"    retryable: {literal(kind.retryable)},\n"
        f"    lasting: {literals(kind.lasting)},\n  }},\n"
    )
