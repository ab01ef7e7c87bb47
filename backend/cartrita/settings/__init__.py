"""Settings, read once from the environment and two files, and passed on as one frozen value."""

from cartrita.settings.errors import SettingsError
from cartrita.settings.loader import load
from cartrita.settings.reference import render_reference
from cartrita.settings.settings import Settings
from cartrita.settings.sources import environment

__all__ = ["Settings", "SettingsError", "environment", "load", "render_reference"]
