"""LangChain's suite on ChatOpenAI over the Responses API."""

from typing import ClassVar

from langchain_openai import ChatOpenAI
from tests.sdks.langchain.suite import Suite

DIALECT = "openai_responses"


class TestChatOpenAIResponses(Suite):
    client = ChatOpenAI
    options: ClassVar = {"use_responses_api": True}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True
