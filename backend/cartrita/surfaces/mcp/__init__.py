"""The MCP surface: every agent as a tool of the Model Context Protocol, over streamable HTTP."""
