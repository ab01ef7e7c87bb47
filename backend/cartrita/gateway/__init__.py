"""Model calls: resolving a model name to its provider, and retrying failed calls."""
