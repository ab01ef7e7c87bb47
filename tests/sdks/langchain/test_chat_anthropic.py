"""LangChain's suite on ChatAnthropic."""

from typing import ClassVar

from langchain_anthropic import ChatAnthropic
from tests.sdks.langchain.suite import Suite

DIALECT = "anthropic_messages"


class TestChatAnthropic(Suite):
    client = ChatAnthropic
    options: ClassVar = {"max_tokens": 1024}

    @property
    def base_url(self) -> str:
        return self.target.root_url

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True
