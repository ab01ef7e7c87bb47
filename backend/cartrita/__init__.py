"""Cartrita: an assistant backend that people own."""
