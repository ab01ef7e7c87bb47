"""The HTTP client that the adapters share, which call providers, search and fetch pages."""
