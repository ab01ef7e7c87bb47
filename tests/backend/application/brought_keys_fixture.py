"""Keys of providers that callers bring to one process, with a clock and what providers accept."""

import asyncio
from typing import Any

import pytest
from tests.backend.application.access_fixture import Clock

from cartrita.application.keys.brought_keys import (
    BroughtKeys,
)
from cartrita.application.keys.kinds import UNTOLD, Bringing
from cartrita.application.keys.provider_shapes import KeyShapes
from cartrita.domain.errors import Unauthenticated
from cartrita.kit.secret import Secret

ONE, TWO, OWN = "sk-the-first-key", "sk-the-second-key", "any-shape-of-the-server"
LOCAL = Bringing(local=True)
SHAPES = KeyShapes({"openai": ("sk-",), "elsewhere": ()})


class Validator:
    """Accepts what the test lists."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = {*accepted}
        self.asked: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.any = False
        self.hanging: str | None = None

    async def accepts(self, provider: str, key: Secret) -> bool:
        self.asked.append((provider, key.reveal()))
        await (asyncio.Event().wait() if provider == self.hanging else asyncio.sleep(0))
        if self.error is not None:
            raise self.error
        return self.any or key.reveal() in self.accepted

    def count(self, key: str) -> int:
        return [one for _, one in self.asked].count(key)


class Keys:
    """The keys of one process, with a clock."""

    def __init__(self, *accepted: str, **options: Any) -> None:
        self.clock = Clock()
        self.validator = Validator(*accepted)
        self.keys = BroughtKeys(
            SHAPES,
            self.validator,
            Secret("pepper"),
            configured={"mine": Secret(f" {OWN} "), "other": Secret(TWO)},
            monotonic=self.clock.monotonic,
            **options,
        )

    async def refused(self, key: str, bringing: Bringing = UNTOLD) -> str:
        with pytest.raises(Unauthenticated) as refusal:
            await self.keys.authenticate(key, bringing)
        return refusal.value.message
