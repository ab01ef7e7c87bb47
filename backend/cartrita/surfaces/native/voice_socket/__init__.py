"""The WebSocket at `/ws/voice`: a live conversation, in audio both ways."""
