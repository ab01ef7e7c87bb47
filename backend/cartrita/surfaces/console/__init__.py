"""The console at `/`: a page of the server's own, built from frontend-contract/console."""
