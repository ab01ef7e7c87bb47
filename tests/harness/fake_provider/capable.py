"""What a capable model does with its prompt, by rules: which function it calls, with what.

A function is called that the prompt names, or with whose name it shares a word. Its arguments are
the numbers and the quoted texts of the prompt, in order. A prompt that wants JSON and quotes the
keys gets an object with those.
"""

import re
from collections.abc import Sequence

import msgspec
from tests.harness.fake_provider import json_instances, words

Json = dict[str, object]
Function = tuple[str, Json]
"""A function's name, and the schema of its arguments."""

_NUMBER = re.compile(r"-?\b\d+(?:\.\d+)?\b")
_QUOTED = re.compile(r"(?<!\w)(?:'([^'\n]+)'|\"([^\"\n]+)\")(?!\w)")
_WORD = re.compile(r"[a-z]{4,}")


def wanted(offered: Sequence[Function], prompt: str) -> Function | None:
    """The function that the prompt is a task for, if one is offered."""
    for function in offered:
        if re.search(rf"\b{re.escape(function[0])}\b", prompt):
            return function
    said = set(_WORD.findall(prompt.lower()))
    suited = (each for each in offered if said & set(_WORD.findall(each[0].lower())))
    return next(suited, None)


def document(schema: Json, prompt: str, key: str) -> str:
    """A JSON document that fits the schema, filled with what the prompt gives."""
    return json_instances.draw(schema, key, numbers=_numbers(prompt), texts=quoted(prompt))


def arguments(parameters: Json, prompt: str, key: str) -> str:
    """The same for a function, which may take none."""
    return document({"type": "object"} | parameters, prompt, key)


def requested_object(prompt: str, key: str) -> str | None:
    """The object with the quoted keys, where the prompt wants JSON in words alone."""
    keys = quoted(prompt)
    if not keys or not re.search(r"\bjson\b", prompt, re.I):
        return None
    return msgspec.json.encode({each: words.draw(3, f"{key}:{each}") for each in keys}).decode()


def quoted(prompt: str) -> list[str]:
    """The texts in quotation marks, in order."""
    return [single or double for single, double in _QUOTED.findall(prompt)]


def _numbers(prompt: str) -> list[float]:
    return [float(each) if "." in each else int(each) for each in _NUMBER.findall(prompt)]
