"""OpenAI's Responses API, and the items of its conversations.

Source: https://platform.openai.com/docs/api-reference/responses, and the types of the `openai` SDK.
"""

DIALECT = "openai_responses"
"""The name of this dialect: what requests, parts and fields that came in it have as `origin`."""
