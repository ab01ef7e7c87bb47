"""How deep JSON is nested, which is known before anything is made of it.

What walks through JSON calls itself once or twice for each level, and Python ends that at 1,000.
"""

from itertools import accumulate
from typing import Final

MAX_DEPTH: Final = 64
"""The levels of JSON that a caller sends."""
MAX_ANSWER_DEPTH: Final = 2 * MAX_DEPTH
"""The levels of a provider's answer: it may repeat the request, some levels further in."""

_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_OTHERS: Final = bytes(set(range(256)) - set(b'[{]}"'))


def nests_deeper(data: str | bytes, most: int) -> bool:
    """Whether valid JSON has more levels than so many; a number or a string has none.

    JSON with few brackets is not looked into. Of any other, all is removed but the quotes and the
    brackets, and then what is within the quotes.
    """
    if isinstance(data, str):
        if data.count("[") + data.count("{") <= most:
            return False
        data = data.encode("utf-8", "surrogatepass")
    elif data.count(b"[") + data.count(b"{") <= most:
        return False
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(_STEPS, _OTHERS)
    steps = memoryview(b"".join(marks.split(b'"')[::2])).cast("b")  # 1 for each level that begins
    return max(accumulate(steps), default=0) > most
