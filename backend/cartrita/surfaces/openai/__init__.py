"""The OpenAI surface: the endpoints under `/v1` that OpenAI's SDKs call."""
