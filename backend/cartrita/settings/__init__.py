"""Settings: read once, from the environment and two files, and handed down as values."""

from cartrita.settings.loading import load
from cartrita.settings.model import Settings
from cartrita.settings.problems import SettingsError
from cartrita.settings.reference import reference
from cartrita.settings.sources import environment

__all__ = ["Settings", "SettingsError", "environment", "load", "reference"]
