"""Wire formats of model APIs, translated both ways, pure."""
