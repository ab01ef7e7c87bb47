"""The error that ends a command."""

from cartrita.kit.operator_error import OperatorError


class CommandError(OperatorError):
    """The command failed; the text is one sentence that the operator can act on."""
