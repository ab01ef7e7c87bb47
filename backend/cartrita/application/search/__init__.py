"""Searches of what is stored, by words and by meaning, of the web and of GitHub."""
