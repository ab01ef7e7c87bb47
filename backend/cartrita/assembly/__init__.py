"""Builds a running system from settings: the only package that knows every concrete class."""
