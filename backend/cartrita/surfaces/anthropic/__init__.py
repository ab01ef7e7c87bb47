"""The Anthropic surface: the endpoints under `/v1/messages` that Anthropic's SDKs call."""
