"""The hot paths of the Anthropic surface."""

from typing import Final

from cartrita.surfaces.anthropic import messages, token_counts
from cartrita.surfaces.hot_paths import HotPath

HOT_PATHS: Final[tuple[HotPath, ...]] = (messages.HOT_PATH, token_counts.HOT_PATH)
