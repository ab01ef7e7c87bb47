"""General-purpose code that depends on no other part of Cartrita."""
