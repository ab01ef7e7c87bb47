"""How properties are tried: the same examples each time, and no clock."""

from hypothesis import settings

examples = settings(deadline=None, derandomize=True, max_examples=60)

_DIALECT_PROPERTIES = 37
"""So many properties of the dialects share the cases."""


def dialect_settings(cases: int) -> settings:
    """The settings with which all properties of the dialects together try so many cases."""
    return settings(examples, max_examples=max(cases // _DIALECT_PROPERTIES, 1))


dialect_examples = dialect_settings(2_000)
"""`poe dialect-properties --cases N` puts others here before it runs the tests."""
