"""What a method takes, and how it is put into the request."""

from collections.abc import Iterator
from dataclasses import dataclass
from keyword import iskeyword

from cartrita.contract.model import (
    BodyFormat,
    Constants,
    Field,
    ListOf,
    Named,
    Operation,
    OrNull,
    Parameter,
    Plain,
    Record,
    Repetition,
    Scalar,
    Type,
)
from cartrita.contract.python.annotations import quoted, sent

_STREAM = "stream"
"""The field that asks for a stream: each kind of answer has a method of its own."""
_BYTES = Plain(Scalar.BYTES)


@dataclass(frozen=True, slots=True)
class Argument:
    """One keyword of a method."""

    name: str
    wire: str
    annotation: str
    required: bool
    description: str

    @property
    def declared(self) -> str:
        """As the signature has it."""
        if self.required:
            return f"{self.name}: {self.annotation}"
        kept = self.annotation.removesuffix(" | None")
        return f"{self.name}: {kept} | None = None"


def path_arguments(operation: Operation) -> list[Argument]:
    """The parameters of the path, in order."""
    return [_argument(each, {}) for each in operation.path_parameters]


def query_arguments(operation: Operation, records: dict[str, Record]) -> list[Argument]:
    """The parameters of the query."""
    return [_argument(each, records) for each in operation.query]


def body_arguments(operation: Operation, records: dict[str, Record]) -> list[Argument]:
    """The fields of the body, but for files and the choice of a stream."""
    fields = operation.body.fields if operation.body else ()
    return [
        _argument(each, records) for each in fields if not _is_file(each) and each.name != _STREAM
    ]


def record_arguments(record: Record, records: dict[str, Record]) -> list[Argument]:
    """The fields of a record, such as a frame."""
    return [_argument(each, records) for each in record.fields]


def file_arguments(operation: Operation) -> list[Argument]:
    """The files of a form."""
    form = operation.body is not None and operation.body.format is BodyFormat.FORM
    return (
        [_argument(each, {}) for each in operation.body.fields if _is_file(each)]
        if form and operation.body
        else []
    )


def takes_key(operation: Operation) -> bool:
    """Whether an Idempotency-Key means something to it."""
    return operation.repetition is Repetition.WITH_KEY


def is_list(argument: Argument) -> bool:
    """Whether it is several files."""
    return argument.annotation.startswith("Sequence[")


def given(operation: Operation, records: dict[str, Record], streamed: bool) -> Iterator[str]:
    """The arguments of `Given`."""
    if operation.path_parameters:
        names = [each.name for each in path_arguments(operation)]
        yield f"path=({', '.join(names)}{',' if len(names) == 1 else ''})"
    if operation.query:
        yield f"query={_mapping(query_arguments(operation, records))}"
    if operation.body is not None:
        always = {_STREAM: "True"} if streamed else {}
        yield f"body={_mapping(body_arguments(operation, records), always)}"
    if found := file_arguments(operation):
        yield f"files={_files(found[0])}"
        yield "progress=progress"
    if takes_key(operation):
        yield "idempotency_key=idempotency_key"
    yield "timeout=timeout"


def _files(argument: Argument) -> str:
    if is_list(argument):
        return f"[({quoted(argument.wire)}, each) for each in {argument.name}]"
    return f"[({quoted(argument.wire)}, {argument.name})]"


def _mapping(arguments: list[Argument], always: dict[str, str] | None = None) -> str:
    pairs = [f"{quoted(each.wire)}: {each.name}" for each in arguments]
    pairs += [f"{quoted(name)}: {value}" for name, value in (always or {}).items()]
    return "{" + ", ".join(pairs) + "}"


def _argument(found: Field | Parameter, records: dict[str, Record]) -> Argument:
    name = f"{found.name}_" if iskeyword(found.name) else found.name
    annotation = _widened(found.type, records)
    return Argument(name, found.name, annotation, found.required, found.description)


def _widened(found: Type, records: dict[str, Record]) -> str:
    """Records may be given as mappings."""
    match found:
        case Named() if found.name in records:
            return f"models.{found.name} | Mapping[str, Any]"
        case ListOf():
            return f"Sequence[{_widened(found.items, records)}]"
        case OrNull():
            return f"{_widened(found.of, records).removesuffix(' | None')} | None"
        case Constants() | Plain() | Named():
            return sent(found, "models.")
        case _:
            return sent(found, "models.")


def _is_file(field: Field) -> bool:
    return field.type == _BYTES or field.type == ListOf(_BYTES)
