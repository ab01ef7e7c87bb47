"""Small tools that know nothing of Cartrita."""
