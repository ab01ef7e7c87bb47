"""The web page at `/`: sign-in and a minimal chat."""
