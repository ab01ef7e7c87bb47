"""The command line."""

from __future__ import annotations

import argparse

from cartrita_client.cli.environment import DEFAULT_URL, KEY, URL

_CODES = """\
exit codes: 0 it worked, 1 the server says no, 2 the command line is wrong, 3 no usable answer came,
4 the answer waits for a person, 5 a file cannot be read or written, 130 it was stopped by Ctrl-C,
which cancels the answer
"""


def parser() -> argparse.ArgumentParser:
    """All commands."""
    made = argparse.ArgumentParser(
        "cartrita-client", description="Talk to a Cartrita server.", epilog=_CODES
    )
    made.add_argument("--url", help=f"the server; else {URL}, else {DEFAULT_URL}")
    made.add_argument("--key", help=f"your key; {KEY} shows it to fewer eyes")
    made.add_argument("--plain", action="store_true", help="no colours, no markdown, no bars")
    commands = made.add_subparsers(dest="command", required=True, metavar="command")
    ask = commands.add_parser("ask", help="one question, answered as it comes")
    ask.add_argument("message", nargs="+", help="the question; `-` reads it from the input")
    _add_chat_options(ask)
    _add_chat_options(commands.add_parser("chat", help="a conversation; an empty line ends it"))
    upload = commands.add_parser("upload", help="store files")
    upload.add_argument("file", nargs="+")
    upload.add_argument("--conversation", help="the conversation that they belong to")
    voice = commands.add_parser("voice", help="a recording, transcribed and answered")
    voice.add_argument("file")
    voice.add_argument("--speak", metavar="FILE", help="the spoken answer, such as answer.wav")
    voice.add_argument("--language", help="what is spoken, such as en; else it is recognised")
    voice.add_argument("--conversation", help="the conversation to go on with")
    voice.add_argument("--model", help="which answers, such as openai/gpt-5.4")
    voice.add_argument("--agent", help="the agent that answers")
    search = commands.add_parser("search", help="search what is your own, or the web")
    search.add_argument("query", nargs="+")
    search.add_argument("--provider", help="search the web with this provider, such as tavily")
    search.add_argument("--limit", type=int, default=10)
    commands.add_parser("agents", help="who answers")
    runs = commands.add_parser("runs", help="what became of an answer")
    runs.add_argument("run_id")
    what = runs.add_mutually_exclusive_group()
    what.add_argument("--follow", action="store_true", help="its text, to its end")
    what.add_argument("--cancel", action="store_true", help="stop it")
    return made


def _add_chat_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--conversation", help="the conversation to go on with")
    command.add_argument("--model", help="such as openai/gpt-5.4")
    command.add_argument("--agent", help="the agent that answers")
    levels = ("never", "risky", "always")
    command.add_argument("--approval", choices=levels, help="which tools ask you first")
    command.add_argument("--attach", action="append", default=[], metavar="FILE_ID")
