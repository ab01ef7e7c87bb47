"""LangChain's suite on ChatOpenAI over the Responses API."""

from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from tests.sdks.langchain.suite import Suite

DIALECT = "openai_responses"
pytestmark = pytest.mark.langchain


class TestChatOpenAIResponses(Suite):
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
            "use_responses_api": True,
        }

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True
