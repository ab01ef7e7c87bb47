"""LangChain's standard suite for chat models, run once for each target."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from tests.sdks.targets import Target


@pytest.mark.langchain
class Suite(ChatModelIntegrationTests):
    """What the suites of all integrations share; `target` is set before each test.

    `client` is the integration, and `options` are the arguments that only it takes.
    """

    target: Target
    client: ClassVar[type[BaseChatModel]]
    options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture(autouse=True)
    def placed(self, target: Target) -> None:
        self.target = target

    @property
    def model_override_value(self) -> str:
        return self.target.model.replace("capable", "fake")

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return self.client

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": self.target.model,
            "base_url": self.base_url,
            "api_key": self.target.key,
            "max_retries": 0,
            **self.options,
        }

    @property
    def base_url(self) -> str:
        return self.target.base_url

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True
