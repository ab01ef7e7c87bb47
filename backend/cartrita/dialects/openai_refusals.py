"""The errors of requests that OpenAI's APIs refuse: programs read their sentences and codes."""

from cartrita.domain.errors import InvalidInput

NO_CODE = "validation_error"
"""The code of an error that has none in OpenAI's words; it is written as null."""

_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def refusal(param: str, message: str, code: str = NO_CODE) -> InvalidInput:
    """The error of one field: `param` is its path as the vendor writes it."""
    return InvalidInput(message, fields={param: [message]}, code=code)


def missing(path: str) -> InvalidInput:
    """The error of a field that must be there."""
    return refusal(path, f"Missing required parameter: '{path}'.", "missing_required_parameter")


def missing_model() -> InvalidInput:
    """The error of a request that names no model, in the older APIs."""
    return refusal("model", "you must provide a model parameter")


def wrong_type(path: str, expected: str, value: object) -> InvalidInput:
    """The error of a value of another kind: `expected` names it with its article."""
    kind = _KINDS.get(type(value), "something else")
    message = f"Invalid type for '{path}': expected {expected}, but got {kind} instead."
    return refusal(path, message, "invalid_type")


def out_of_bounds(path: str, detail: str, code: str) -> InvalidInput:
    """The error of a value that is too much or too little."""
    return refusal(path, f"Invalid '{path}': {detail}", code)


def check_bounds(
    value: float, path: str, kind: str, least: float | None, most: float | None
) -> None:
    """Raise the error of an `integer` or a `decimal` that is not within these limits."""
    if least is not None and value < least:
        raise out_of_bounds(
            path,
            f"{kind} below minimum value. Expected a value >= {least}, but got {value} instead.",
            f"{kind}_below_min_value",
        )
    if most is not None and value > most:
        raise out_of_bounds(
            path,
            f"{kind} above maximum value. Expected a value <= {most}, but got {value} instead.",
            f"{kind}_above_max_value",
        )
