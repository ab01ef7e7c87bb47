"""Prompts of Langfuse: implements PromptReader; nothing is trusted to be a prompt."""

import asyncio
import re
from typing import Final
from urllib.parse import quote

import httpx
from langfuse.api.core import ApiError
from langfuse.api.prompts import ChatMessage, Prompt_Chat, Prompt_Text

from cartrita.adapters.tracing.langfuse_fixes import FIXES
from cartrita.adapters.tracing.langfuse_requests import (
    MOST_BYTES,
    ONCE,
    OversizedAnswer,
    langfuse_api,
    open_http,
)
from cartrita.adapters.tracing.policies import LangfuseProject
from cartrita.domain.prompts import (
    INSTRUCTIONS_MAX,
    Prompt,
    PromptNotTaken,
    PromptReference,
    PromptVersion,
)

_PLACEHOLDER: Final = re.compile(r"\{\{\s*[A-Za-z_]\w*\s*\}\}")
_FIXES: Final = {
    **FIXES,
    404: "Langfuse has no such prompt: make it, or give a version of it the label that is named.",
    429: "Langfuse is asked too often: raise CARTRITA_TRACING_PROMPTS_REFRESH_S.",
}


class LangfusePrompts:
    """Reads prompts of a project; one reading takes `timeout_s` at most."""

    def __init__(self, project: LangfuseProject, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._http = open_http(timeout_s)
        self._prompts = langfuse_api(project, self._http).prompts

    async def close(self) -> None:
        """Read nothing more."""
        await self._http.aclose()

    async def read(self, reference: PromptReference) -> Prompt:
        """See PromptReader."""
        found = await self._found(reference)
        return Prompt(PromptVersion(reference.name, found.version), _text(found))

    async def _found(self, reference: PromptReference) -> Prompt_Text | Prompt_Chat:
        label = reference.label if reference.version is None else None
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._prompts.get(
                    quote(reference.name, safe=""),
                    version=reference.version,
                    label=label,
                    request_options=ONCE,
                )
        except ApiError as error:
            status = error.status_code or 0
            if 200 <= status < 300:
                raise _malformed("what came is no JSON") from None
            raise PromptNotTaken(status, _FIXES.get(status, _FIXES[0])) from None
        except OversizedAnswer:
            raise _malformed(f"it has more than {MOST_BYTES} bytes") from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise PromptNotTaken(type(error).__name__, _FIXES[0]) from None
        except Exception:  # noqa: BLE001 - whatever came and cannot be read, runs go on
            raise _malformed("what came is no prompt of Langfuse") from None


def _text(prompt: Prompt_Text | Prompt_Chat) -> str:
    """The text of a prompt, which can be instructions. Raises PromptNotTaken."""
    text = prompt.prompt if isinstance(prompt, Prompt_Text) else _system_text(prompt)
    text = text.strip()
    if not text:
        raise _malformed("it is empty")
    if len(text) > INSTRUCTIONS_MAX:
        raise _malformed(f"it has more than {INSTRUCTIONS_MAX} characters")
    if "\0" in text or not _is_unicode(text):
        raise _malformed("it has characters that are no text")
    if _PLACEHOLDER.search(text):
        raise _malformed("it has {{variables}}, which nobody fills here")
    return text


def _system_text(prompt: Prompt_Chat) -> str:
    texts: list[str] = []
    for message in prompt.prompt:
        if not isinstance(message, ChatMessage) or message.role != "system":
            raise _malformed("it is a chat with messages that are not of the system")
        texts.append(message.content)
    return "\n\n".join(texts)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _malformed(why: str) -> PromptNotTaken:
    return PromptNotTaken("malformed", f"Mend the prompt in Langfuse: {why}.")
