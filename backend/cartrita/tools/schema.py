"""Tools from functions: the JSON Schema of their arguments, and the check of what models send."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, get_type_hints

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.tools import ToolSpec
from cartrita.tools.tool import Risk, Tool, ToolContext, ToolOutput

_DEFS = "#/$defs/{name}"


def tool(
    function: Callable[Concatenate[ToolContext, ...], Awaitable[ToolOutput]],
    *,
    name: str | None = None,
    risk: Risk = Risk.READ,
    timeout_s: float = 30.0,
    output_max_chars: int = 20_000,
    parallel: bool = True,
) -> Tool:
    """A tool that calls this function with a context and the arguments of the model.

    The function's docstring is the description; its parameters after the context are the arguments,
    described by `Annotated[..., msgspec.Meta(description=...)]`.
    """
    called = name or function.__name__.strip("_")
    arguments = _arguments_of(called, function)

    async def run(context: ToolContext, given: JsonObject) -> ToolOutput:
        try:
            checked = msgspec.convert(given, arguments)
        except msgspec.ValidationError as error:
            return ToolOutput(_wrong(error), success=False)
        return await function(context, **msgspec.structs.asdict(checked))

    def wrong(given: JsonObject) -> str | None:
        try:
            msgspec.convert(given, arguments)
        except msgspec.ValidationError as error:
            return _wrong(error)
        return None

    return Tool(
        spec=ToolSpec(called, inspect.getdoc(function) or "", _schema(arguments)),
        run=run,
        wrong=wrong,
        risk=risk,
        timeout_s=timeout_s,
        output_max_chars=output_max_chars,
        parallel=parallel,
    )


def _wrong(error: msgspec.ValidationError) -> str:
    return f"The arguments are wrong: {error}. Call it again."


def _arguments_of(
    name: str, function: Callable[Concatenate[ToolContext, ...], Awaitable[ToolOutput]]
) -> type[msgspec.Struct]:
    """A struct with a field for each parameter after the first."""
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        (one.name, hints[one.name])
        if one.default is inspect.Parameter.empty
        else (one.name, hints[one.name], one.default)
        for one in parameters
    ]
    return msgspec.defstruct(name, fields, kw_only=True, frozen=True, forbid_unknown_fields=True)


def _schema(arguments: type[msgspec.Struct]) -> JsonObject:
    """The schema of the arguments as an object, with the types that it refers to in `$defs`."""
    _, components = msgspec.json.schema_components([arguments], ref_template=_DEFS)
    schema: JsonObject = components.pop(arguments.__name__)
    del schema["title"]
    return {**schema, "$defs": components} if components else schema
