"""Servers of tools by the Model Context Protocol; imported only where some are configured."""
