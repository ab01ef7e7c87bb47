"""The hot paths of the OpenAI surface."""

from typing import Final

from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.openai import chat_completions, create_response, embeddings

HOT_PATHS: Final[tuple[HotPath, ...]] = (
    chat_completions.HOT_PATH,
    embeddings.HOT_PATH,
    create_response.HOT_PATH,
)
