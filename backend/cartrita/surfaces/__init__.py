"""Inbound faces: each turns a wire into use cases and back."""
