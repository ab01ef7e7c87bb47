"""What each command does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from cartrita_client.chat_streams import ChatStream
from cartrita_client.cli.answering import Answering
from cartrita_client.cli.screens import Screen
from cartrita_client.client import CartritaApiClient
from cartrita_client.errors import CartritaApiError


def ask(client: CartritaApiClient, screen: Screen, given: argparse.Namespace) -> None:
    """One question."""
    words = " ".join(given.message)
    message = sys.stdin.read() if words == "-" else words
    Answering(client, screen).show(_stream(client, given, message, given.conversation))


def chat(client: CartritaApiClient, screen: Screen, given: argparse.Namespace) -> None:
    """Questions until an empty line; Ctrl-C stops an answer, and beside one it ends the chat."""
    answering = Answering(client, screen)
    answering.conversation = given.conversation
    while message := _asked():
        stream = _stream(client, given, message, answering.conversation)
        with suppress(KeyboardInterrupt):
            try:
                answering.show(stream)
            except CartritaApiError as refused:
                screen.remark(str(refused))
    if answering.conversation:
        screen.remark(f"Go on with --conversation {answering.conversation}.")


def upload(client: CartritaApiClient, screen: Screen, given: argparse.Namespace) -> None:
    """Files, one after the other."""
    for path in given.file:
        with screen.progress(path) as note:
            stored = client.upload_file(
                file=path, conversation_id=given.conversation, progress=note
            )
        screen.show_table(
            ("File", "Name", "Size"), [(stored.file_id, stored.filename, str(stored.size))]
        )


def voice(client: CartritaApiClient, screen: Screen, given: argparse.Namespace) -> None:
    """What is said in a recording, and the answer to it, which is spoken into a file if wanted."""
    found = client.process_voice(
        audio=given.file,
        conversation_id=given.conversation,
        language=given.language,
        model=given.model,
        agent_override=given.agent,
        speak=given.speak is not None,
        format=None if given.speak is None else _format_of(given.speak),
    )
    screen.remark(found.transcription or "Nothing was said.")
    if found.response is not None:
        screen.show_answer([found.response])
    if found.speech_error is not None:
        screen.remark(found.speech_error.error)
    if found.audio_url is not None and given.speak is not None:
        client.get_file_content(found.audio_url.split("/")[3]).save(given.speak)


def search(client: CartritaApiClient, screen: Screen, given: argparse.Namespace) -> None:
    """The web if a provider is named; else conversations, messages and files."""
    query = " ".join(given.query)
    if given.provider:
        web = client.search(query=query, provider=given.provider, max_results=given.limit)
        screen.show_table(("Title", "Address"), [(each.title, each.url) for each in web.results])
        return
    own = client.search_own_data(q=query, limit=given.limit)
    rows = [(each.type, each.id, each.title) for each in own.results]
    screen.show_table(("What", "Id", "Title"), rows)


def agents(client: CartritaApiClient, screen: Screen, _: argparse.Namespace) -> None:
    """Who answers."""
    found = client.get_agents().agents
    rows = [(each.id, each.status, each.model or "", each.description) for each in found]
    screen.show_table(("Agent", "Status", "Model", "What it does"), rows)


def runs(client: CartritaApiClient, screen: Screen, given: argparse.Namespace) -> None:
    """What became of an answer."""
    if given.follow:
        Answering(client, screen).show(client.get_run_events(given.run_id))
        return
    run = client.cancel_run(given.run_id) if given.cancel else client.get_run(given.run_id)
    row = (run.id, run.status, f"{run.provider}/{run.model}", run.conversation_id or "")
    screen.show_table(("Run", "Status", "Model", "Conversation"), [row])


_Format = Literal["mp3", "wav", "opus", "flac", "aac"]
_FORMATS: Mapping[str, _Format] = {
    ".mp3": "mp3",
    ".wav": "wav",
    ".ogg": "opus",
    ".opus": "opus",
    ".flac": "flac",
    ".aac": "aac",
}
Command = Callable[[CartritaApiClient, Screen, argparse.Namespace], None]
COMMANDS: Mapping[str, Command] = {
    "ask": ask,
    "chat": chat,
    "upload": upload,
    "voice": voice,
    "search": search,
    "agents": agents,
    "runs": runs,
}


def _stream(
    client: CartritaApiClient, given: argparse.Namespace, message: str, conversation: str | None
) -> ChatStream:
    return client.stream_chat(
        message=message,
        conversation_id=conversation,
        model=given.model,
        agent_override=given.agent,
        approval=given.approval,
        attachments=given.attach or None,
    )


def _format_of(path: str) -> _Format:
    """How speech is encoded in a file of this name. Raises ValueError."""
    found = _FORMATS.get(Path(path).suffix.lower())
    if found is None:
        raise ValueError(f"Speech goes into a file that ends in one of {', '.join(_FORMATS)}.")
    return found


def _asked() -> str:
    """What is said next; nothing at the end of the input."""
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except (EOFError, KeyboardInterrupt):
        return ""
