"""What the methods return, and how it is named."""

from collections.abc import Iterator

from cartrita.contract.model import (
    WAITING,
    Contract,
    Named,
    OneOf,
    Operation,
    Plain,
    Scalar,
    Streaming,
    Type,
)


def returned(operation: Operation) -> Type | None:
    """The type of an answer; one that waits for a person is raised: who wants one gets it."""
    answer = operation.answer
    if not isinstance(answer, OneOf):
        return answer
    left = tuple(each for each in answer.options if each != WAITING)
    return left[0] if len(left) == 1 else OneOf(left)


def kind(operation: Operation) -> str:
    """What kind of answer it has, as the client's table says it."""
    if operation.streaming is Streaming.ALWAYS:
        return "stream"
    if operation.answer is None:
        return "nothing"
    return "bytes" if operation.answer == Plain(Scalar.BYTES) else "json"


def answer_name(operation: Operation) -> str:
    """The name of the answer's type in the models; empty where it is no JSON."""
    if kind(operation) != "json":
        return ""
    found = returned(operation)
    return found.name if isinstance(found, Named) else alias_of(operation)


def alias_of(operation: Operation) -> str:
    """The name that is given to an answer which has none."""
    return "".join(map(str.capitalize, operation.id.split("_"))) + "Answer"


def answers_with_aliases(contract: Contract) -> Iterator[tuple[Operation, Type]]:
    """The answers that have no name of their own."""
    for operation in contract.operations:
        found = returned(operation)
        if kind(operation) == "json" and found is not None and not isinstance(found, Named):
            yield operation, found


def streams_on_request(operation: Operation, contract: Contract) -> bool:
    """Whether it has a second method for its stream, because no other operation is that."""
    twin = f"{operation.path}/stream"
    return operation.streaming is Streaming.ON_REQUEST and all(
        each.path != twin for each in contract.operations
    )
