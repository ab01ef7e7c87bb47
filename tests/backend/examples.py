"""How properties are tried: the same examples each time, and no clock."""

from hypothesis import settings

examples = settings(deadline=None, derandomize=True, max_examples=60)
