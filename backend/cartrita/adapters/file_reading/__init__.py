"""Reads the text of files, and makes images anew, in processes with limits."""
