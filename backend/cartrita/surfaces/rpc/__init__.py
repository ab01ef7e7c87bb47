"""What the surfaces over JSON-RPC share, which are A2A and MCP."""
