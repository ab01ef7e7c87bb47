"""LangChain's suite on ChatOpenAI over chat completions."""

from typing import ClassVar

from langchain_openai import ChatOpenAI
from tests.sdks.langchain.suite import Suite

DIALECT = "openai_chat"


class TestChatOpenAI(Suite):
    client = ChatOpenAI
    options: ClassVar = {"stream_usage": True}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        """No other API takes audio; where it cannot be sent, the request is refused."""
        return self.target.upstream == "openai_chat"
