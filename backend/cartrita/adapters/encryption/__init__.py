"""Encryption of what is stored and has to be read again."""
