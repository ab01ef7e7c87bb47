"""OpenAI's Responses API, and the items of its conversations.

Source: https://platform.openai.com/docs/api-reference/responses, and the types of the `openai` SDK.
"""

NAME = "openai_responses"
