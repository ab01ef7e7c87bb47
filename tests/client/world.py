"""Things on a server that calls of operations are about, each made anew when it is asked for."""

import base64
import time
from uuid import uuid4

from tests.harness.fixtures import PROVIDER_KEY

from cartrita_client import CartritaApiClient, WaitingForApproval, kinds, models

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)

_WATCHDOG_S = 60.0
_PAUSE_S = 0.02


class World:
    """Makes them with a client that blocks."""

    def __init__(self, client: CartritaApiClient) -> None:
        self.client = client

    def name(self) -> str:
        """A name that nothing has yet."""
        return f"made-{uuid4().hex[:16]}"

    def answer(self) -> models.ChatResponse:
        """An answer in a conversation of its own."""
        return self.client.post_chat(message="Hello.")

    def judged_answer(self) -> str:
        """An answer with feedback."""
        message = self.answer().message_id
        self.client.give_feedback(message, score=1)
        return message

    def conversation(self) -> str:
        return self.answer().conversation_id

    def question(self) -> tuple[str, str]:
        """A conversation, and its first message."""
        conversation = self.conversation()
        return conversation, self.client.list_messages(conversation).items[0].id

    def run(self) -> str:
        return self.answer().run_id

    def slow_run(self) -> str:
        """A run that goes on for longer than any test."""
        with self.client.stream_chat(message="Go slowly.") as stream:
            next(stream)
            return stream.run_id

    def broken_run(self) -> str:
        """A run that ended early, with something seen."""
        stream = self.client.stream_chat(message="Please break off.")
        try:
            stream.final()
        except kinds.Upstream:
            return stream.run_id
        raise AssertionError("it did not break off")

    def waiting(self) -> models.WaitingResponse:
        """A run that waits for a decision."""
        try:
            self.client.post_chat(message="Please calculate.", approval="always")
        except WaitingForApproval as waiting:
            return waiting.waiting
        raise AssertionError("it did not wait")

    def file(self, content: bytes = b"The heliotrope.", name: str = "notes.txt") -> str:
        return self.client.upload_file(file=(name, content)).file_id

    def image(self) -> str:
        """An image that has been read, so that it can be made anew."""
        made = self.file(PIXEL, "pixel.png")
        until = time.monotonic() + _WATCHDOG_S
        while self.client.get_file(made).status in ("stored", "reading"):
            assert time.monotonic() < until, "it is not read"
            time.sleep(_PAUSE_S)
        return made

    def key(self) -> str:
        return self.client.create_key(name=self.name()).id

    def tenant(self) -> str:
        return self.client.create_tenant(id=self.name()).id

    def user(self) -> str:
        return self.client.create_user(id=self.name(), tenant_id="local").id

    def credential(self) -> str:
        return self.client.exchange_credential(provider="openai", key=PROVIDER_KEY).credential.id
