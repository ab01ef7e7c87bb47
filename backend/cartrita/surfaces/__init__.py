"""Inbound APIs: each translates its wire format to use cases and back."""
