"""The WebSocket at `/ws/chat`: several runs on one connection, with what the streams send."""
