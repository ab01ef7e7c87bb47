"""LangChain's standard suite for chat models, run once for each target."""

import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests
from tests.sdks.targets import Target


class Suite(ChatModelIntegrationTests):
    """What the suites of all integrations share; `target` is set before each test."""

    target: Target

    @pytest.fixture(autouse=True)
    def placed(self, target: Target) -> None:
        self.target = target

    @property
    def model_override_value(self) -> str:
        return self.target.model.replace("capable", "fake")

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True
