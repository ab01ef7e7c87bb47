"""How a model call finds its provider."""
