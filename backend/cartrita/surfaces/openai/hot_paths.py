"""The hot paths of the OpenAI surface."""

from typing import Final

from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.openai import chat_completions, embeddings, responses

HOT_PATHS: Final[tuple[HotPath, ...]] = (
    chat_completions.HOT_PATH,
    embeddings.HOT_PATH,
    responses.HOT_PATH,
)
