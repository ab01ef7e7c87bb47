"""Search engines of the web, and GitHub's search."""
