"""Hands and eyes of a desktop: input by XTest, pictures of the screen."""
