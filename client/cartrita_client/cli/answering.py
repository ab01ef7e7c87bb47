"""Shows an answer while it comes, and lets its reader decide and stop."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from cartrita_client.chat_streams import ChatStream
from cartrita_client.cli.screens import Screen
from cartrita_client.client import CartritaApiClient
from cartrita_client.errors import CartritaError
from cartrita_client.events import ChatEvent
from cartrita_client.generated.models import ApprovalRequiredFrame, StreamStartFrame
from cartrita_client.streams import ToldText


class Undecided(CartritaError):
    """The run waits for a person, and there is nobody to ask here."""


class Answering:
    """Reads streams for a screen; `conversation` is where the last answer was given."""

    def __init__(self, client: CartritaApiClient, screen: Screen) -> None:
        self._client = client
        self._screen = screen
        self.conversation: str | None = None

    def show(self, stream: ChatStream) -> None:
        """Show an answer. Ctrl-C cancels it and goes on as KeyboardInterrupt."""
        try:
            with stream:
                self._screen.show_answer(self._pieces(stream))
                stream.final()
        except KeyboardInterrupt:
            if stream.run_id:
                self._cancel(stream.run_id)
            raise

    def _cancel(self, run_id: str) -> None:
        try:
            self._client.cancel_run(run_id)
        except CartritaError as problem:
            self._screen.remark(f"{run_id} was not cancelled: {problem}")
        else:
            self._screen.remark(f"Cancelled {run_id}.")

    def _pieces(self, stream: ChatStream) -> Iterator[str]:
        told = ToldText()
        for event in stream:
            self._look_at(event, stream)
            if piece := told.new_in(event):
                yield piece

    def _look_at(self, event: ChatEvent, stream: ChatStream) -> None:
        if isinstance(event, StreamStartFrame):
            self.conversation = event.data.conversation_id
        elif isinstance(event, ApprovalRequiredFrame):
            self._decide(event, stream)

    def _decide(self, event: ApprovalRequiredFrame, stream: ChatStream) -> None:
        asked = event.data
        self._screen.remark(f"\n{asked.tool_name} wants to run with {asked.arguments}.")
        if not sys.stdin.isatty():
            raise Undecided(f"{stream.run_id} waits for a decision on {asked.approval_id}.")
        approved = self._screen.agreed("Allow it? [y/N] ")
        self._client.decide_on_approval(
            stream.run_id,
            asked.approval_id,
            decision="approve" if approved else "deny",
            arguments_hash=asked.arguments_hash,
        )
