"""Outbound implementations of the ports."""
