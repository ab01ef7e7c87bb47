"""The keys that callers show: of this server, or a provider's that they bring."""
