"""The page at `/`: signing in, and a chat small enough to read."""
