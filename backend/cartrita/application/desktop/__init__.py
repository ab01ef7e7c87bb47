"""Desktops: their sessions, who controls them, their films, and what agents do on them."""
