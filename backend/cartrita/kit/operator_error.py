"""The root of the errors that only the operator can resolve."""


class OperatorError(Exception):
    """Its text is one sentence that the operator can act on; a restart would not help."""
