"""LangChain's suite on ChatAnthropic."""

from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from tests.sdks.langchain.suite import Suite

DIALECT = "anthropic_messages"
pytestmark = pytest.mark.langchain


class TestChatAnthropic(Suite):
    @property
    def chat_model_class(self) -> type[ChatAnthropic]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": self.target.model,
            "base_url": self.target.root_url,
            "api_key": self.target.key,
            "max_retries": 0,
            "max_tokens": 1024,
        }

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True
