"""LangChain's suite on ChatOpenAI over chat completions."""

from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from tests.sdks.langchain.suite import Suite

DIALECT = "openai_chat"
pytestmark = pytest.mark.langchain


class TestChatOpenAI(Suite):
    @property
    def chat_model_class(self) -> type[ChatOpenAI]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": self.target.model,
            "base_url": self.target.base_url,
            "api_key": self.target.key,
            "max_retries": 0,
            "stream_usage": True,
        }

    @property
    def supports_json_mode(self) -> bool:
        return True
