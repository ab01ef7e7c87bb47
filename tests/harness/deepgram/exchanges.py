"""What the stand-in was asked, as a test sees it."""

import msgspec


class Exchange(msgspec.Struct, kw_only=True):
    """One request or socket; names of headers are in lower case.

    `body` is that of a JSON request; of recordings there is the size. `messages` are the text
    frames of a client, `sent` the types of the frames that it got (`audio` for binary ones), and
    `closed` is how a socket ended: the code of the close frame, or `cut`, or `left` for a client
    that went without a word.
    """

    number: int
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: str = ""
    audio_bytes: int = 0
    messages: list[str] = []
    sent: list[str] = []
    status: int = 0
    closed: str | None = None

    def values(self, name: str) -> list[str]:
        """The values of a query parameter."""
        return [value for key, value in self.query if key == name]

    def value(self, name: str) -> str | None:
        """The value of a query parameter that comes once."""
        return next(iter(self.values(name)), None)
